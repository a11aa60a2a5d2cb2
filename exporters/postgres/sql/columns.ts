import { mapCooperatively } from '#lifecycle/cooperative-map';
import { arrayOf } from './binary/arrays.ts';
import type { CellType } from './binary/cells.ts';

/** One column of a table: its SQL type and how a row fills it. */
export interface Column<Row> {
  readonly name: string;
  readonly type: CellType;
  readonly value: (row: Row) => unknown;
}

/** `name` with its type; `value` as in `Column`. */
export const column = <Row>(name: string, type: CellType, value: (row: Row) => unknown): Column<Row> => ({
  name,
  type,
  value,
});

/** A statement with one array parameter per column, so that text and plan do not depend on the number of rows. */
export interface Statement {
  readonly text: string;
  readonly values: unknown[];
}

const names = (columns: readonly Column<never>[]): string => columns.map(({ name }) => name).join(', ');

/** @param before how many parameters of the statement come before those of the columns */
function unnest(columns: readonly Column<never>[], before = 0): string {
  return `unnest(${columns.map(({ type }, index) => `$${before + index + 1}::${type}[]`).join(', ')})`;
}

/** Set-based insert of all rows in one statement; `conflict` is what follows `on conflict`. */
export async function insertRows<Row>(
  table: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  conflict: string,
): Promise<Statement> {
  const list = names(columns);
  const cellsOf = ({ type, value }: Column<Row>): Buffer => arrayOf(type, rows.map(value));
  return {
    text: `insert into ${table} (${list}) select * from ${unnest(columns)} on conflict ${conflict}`,
    values: await mapCooperatively(columns, cellsOf, () => rows.length / 10),
  };
}

/** Upsert clause: `on conflict (key) do update` of every column outside the key. */
export function replaceOnConflict<Row>(columns: readonly Column<Row>[], key: readonly string[]): string {
  const rest = columns.map(({ name }) => name).filter((name) => !key.includes(name));
  return `(${key.join(', ')}) do update set ${rest.map((name) => `${name} = excluded.${name}`).join(', ')}`;
}

/** Set-based update of these columns in rows that exist. */
export function updateRows<Row>(
  table: string,
  { key, columns }: { readonly key: readonly Column<Row>[]; readonly columns: readonly Column<Row>[] },
  rows: readonly Row[],
): Statement {
  const all = [...key, ...columns];
  const listOf = (alias: string): string => key.map(({ name }) => `${alias}.${name}`).join(', ');
  return {
    text: `update ${table} as stored set ${columns.map(({ name }) => `${name} = changed.${name}`).join(', ')}
      from ${unnest(all)} as changed (${names(all)}) where (${listOf('stored')}) = (${listOf('changed')})`,
    values: all.map(({ type, value }) => arrayOf(type, rows.map(value))),
  };
}

/**
 * Key columns as a row source to join with: `unnest($1::type[], …) as key (name, …)`.
 *
 * @param before how many parameters of the statement come before these
 */
export function keyRows<Key>(columns: readonly Column<Key>[], keys: readonly Key[], before = 0): Statement {
  return {
    text: `${unnest(columns, before)} as key (${names(columns)})`,
    values: columns.map(({ type, value }) => arrayOf(type, keys.map(value))),
  };
}
