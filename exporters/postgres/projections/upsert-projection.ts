import type { ClientBase } from 'pg';
import { mapCooperatively } from '#lifecycle/cooperative-map';
import { keyRows, type Column } from '../sql/columns.ts';

/** A projection: a table whose rows derive from folds, and how its folds take up facts. */
export interface FoldedTable<Item, Fold> {
  readonly table: string;
  /** The primary key, as columns of a fact. */
  readonly key: readonly Column<Item>[];
  readonly empty: Fold;
  /** Pure reducer: the fold with these items added. */
  readonly add: (fold: Fold, items: readonly Item[]) => Fold;
  /** The stored form; equal folds give equal texts, which is how unchanged rows are found. */
  readonly toText: (fold: Fold) => string;
}

/** A row of a folded table before and after the facts of a batch. */
export interface FoldedRow<Item, Fold> {
  /** One of its facts, for the columns of the key. */
  readonly item: Item;
  readonly before: Fold | null;
  readonly after: Fold;
  /** `after` in its stored form. */
  readonly text: string;
}

/** Injective: all parts but the last are numbers. */
const textOfKey = (parts: readonly unknown[]): string => parts.join('/');

/** Trie node over key values: children by the next value; the node of the last value holds the facts of the row. */
interface KeyLevel<Item> {
  readonly below: Map<unknown, KeyLevel<Item>>;
  readonly group: Item[];
}

const newLevel = <Item>(): KeyLevel<Item> => ({ below: new Map(), group: [] });

function levelBelow<Item>({ below }: KeyLevel<Item>, value: unknown): KeyLevel<Item> {
  const known = below.get(value);
  if (known !== undefined) return known;
  const level = newLevel<Item>();
  below.set(value, level);
  return level;
}

/** A fold as it stands in its table. */
export interface KnownFold<Fold> {
  readonly fold: Fold;
  readonly text: string;
}

/** By the text of the key. */
export type KnownFolds<Fold> = ReadonlyMap<string, KnownFold<Fold>>;

/**
 * Groups the facts of each row by the text of its key. A trie over the key values makes that text once per row, not
 * once per fact.
 */
export function groupByKey<Item, Fold>(
  { key }: FoldedTable<Item, Fold>,
  items: readonly Item[],
): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  const root = newLevel<Item>();
  for (const item of items) {
    let level = root;
    for (const { value } of key) level = levelBelow(level, value(item));
    const { group } = level;
    if (group.length === 0) groups.set(textOfKey(key.map(({ value }) => value(item))), group);
    group.push(item);
  }
  return groups;
}

/** Reads the folds of these groups. The row locks on the validators exclude concurrent writers. */
export async function readFolds<Item, Fold>(
  client: ClientBase,
  { table, key }: FoldedTable<Item, Fold>,
  groups: ReadonlyMap<string, readonly Item[]>,
): Promise<KnownFolds<Fold>> {
  if (groups.size === 0) return new Map();
  const heads = [...groups.values()].flatMap((group) => group.slice(0, 1));
  const keys = keyRows(key, heads);
  const names = key.map(({ name }) => name);
  const { rows } = await client.query<Record<string, unknown> & { fold: string }>(
    `select ${names.map((name) => `known.${name}`).join(', ')}, known.fold::text as fold
     from ${table} as known join ${keys.text} using (${names.join(', ')})`,
    keys.values,
  );
  const known = await mapCooperatively(rows, (row) => {
    const fold = { fold: JSON.parse(row.fold) as Fold, text: row.fold };
    return [textOfKey(names.map((name) => row[name])), fold] as const;
  });
  return new Map(known);
}

/** Folds the facts into their rows and returns the rows that changed, in key order. */
export async function foldInto<Item, Fold>(
  folded: FoldedTable<Item, Fold>,
  known: KnownFolds<Fold>,
  groups: ReadonlyMap<string, readonly Item[]>,
): Promise<readonly FoldedRow<Item, Fold>[]> {
  const sorted = [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
  const fold = ([key, group]: (typeof sorted)[number]): readonly FoldedRow<Item, Fold>[] => {
    const [item] = group;
    const before = known.get(key);
    const after = folded.add(before?.fold ?? folded.empty, group);
    const text = folded.toText(after);
    return item && text !== before?.text ? [{ item, before: before?.fold ?? null, after, text }] : [];
  };
  return (await mapCooperatively(sorted, fold, ([, group]) => group.length)).flat();
}

/**
 * Read-modify step of an upsert: reads the folds of the facts and adds the facts; the caller writes the changed rows.
 */
export async function foldRows<Item, Fold>(
  client: ClientBase,
  folded: FoldedTable<Item, Fold>,
  items: readonly Item[],
): Promise<readonly FoldedRow<Item, Fold>[]> {
  const groups = groupByKey(folded, items);
  return foldInto(folded, await readFolds(client, folded, groups), groups);
}
