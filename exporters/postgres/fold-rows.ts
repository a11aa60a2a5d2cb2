import type { ClientBase } from 'pg';
import { inTurns } from '../turns.ts';
import { keyRows, type Column } from './columns.ts';
import { groupBy } from './recorded-fact.ts';

/** How the facts of a batch become the new folds of a table. */
export interface FoldedTable<Item, Fold> {
  readonly table: string;
  /** The primary key, as columns of a fact. */
  readonly key: readonly Column<Item>[];
  readonly empty: Fold;
  /** What the fold is with these items added. */
  readonly add: (fold: Fold, items: readonly Item[]) => Fold;
  /** The fold as it is kept: equal folds are equal texts. */
  readonly toText: (fold: Fold) => string;
}

/** A row of a folded table before and after the facts of a batch. */
export interface FoldedRow<Item, Fold> {
  /** One of its facts, for the columns of the key. */
  readonly item: Item;
  readonly before: Fold | null;
  readonly after: Fold;
  /** `after`, as it is kept. */
  readonly text: string;
}

/** The parts before the last are numbers, so no two keys have the same text. */
const textOfKey = (parts: readonly unknown[]): string => parts.join('/');

/** Reads the folds that the facts belong to; the lock on the validators keeps them still. */
async function readFolds<Item, Fold>(
  client: ClientBase,
  { table, key }: FoldedTable<Item, Fold>,
  items: readonly Item[],
): Promise<ReadonlyMap<string, string>> {
  const keys = keyRows(key, items);
  const names = key.map(({ name }) => name);
  const { rows } = await client.query<Record<string, unknown> & { fold: string }>(
    `select ${names.map((name) => `known.${name}`).join(', ')}, known.fold::text as fold
     from ${table} as known join ${keys.text} using (${names.join(', ')})`,
    keys.values,
  );
  return new Map(rows.map((row) => [textOfKey(names.map((name) => row[name])), row.fold]));
}

/** Folds the facts into the rows they belong to and gives the rows that changed, in key order. */
export async function foldRows<Item, Fold>(
  client: ClientBase,
  folded: FoldedTable<Item, Fold>,
  items: readonly Item[],
): Promise<readonly FoldedRow<Item, Fold>[]> {
  if (items.length === 0) return [];
  const groups = groupBy(items, (item) => textOfKey(folded.key.map(({ value }) => value(item))));
  const sorted = [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
  const heads = sorted.flatMap(([, group]) => group.slice(0, 1));
  const known = await readFolds(client, folded, heads);
  const fold = ([key, group]: (typeof sorted)[number]): readonly FoldedRow<Item, Fold>[] => {
    const [item] = group;
    const before = known.get(key);
    const fold = before === undefined ? null : (JSON.parse(before) as Fold);
    const after = folded.add(fold ?? folded.empty, group);
    const text = folded.toText(after);
    return item && text !== before ? [{ item, before: fold, after, text }] : [];
  };
  return (await inTurns(sorted, fold, ([, group]) => group.length)).flat();
}
