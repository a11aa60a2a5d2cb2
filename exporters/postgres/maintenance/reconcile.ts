import type { ClientBase } from 'pg';
import { refold } from './rebuild.ts';
import {
  lockScopes,
  MINER_FOLD,
  RUN_FOLDS,
  type FoldRequest,
  type FoldTable,
  type RebuildScope,
} from './rebuild-scope.ts';

/** One value of a projection that differs from the log. */
export interface Difference {
  readonly table: string;
  readonly key: Readonly<Record<string, string | number>>;
  /** Null where the whole row exists on one side only. */
  readonly column: string | null;
  /** Null: SQL null, or no such row. */
  readonly inTables: string | null;
  readonly fromLog: string | null;
}

/** Result of a comparison. */
export interface Reconciled {
  /** Rows compared, by table. */
  readonly rows: Readonly<Record<string, number>>;
  /** Number of all differences, also of those not returned. */
  readonly differenceCount: number;
  /** The first differences, ordered by table and key. */
  readonly differences: readonly Difference[];
}

/** Limit of the differences returned, since a table that is wrong throughout would exhaust the memory. */
const MAX_DIFFERENCES = 1000;

/**
 * Compares the projections with the log: copies the rows to temporary tables, rebuilds, and compares byte by byte. The
 * caller opens a transaction at the isolation level `read committed` and must roll it back.
 *
 * @throws CategorizedError when the validator or the run is not in the log
 */
export async function reconcileFolds(client: ClientBase, request: FoldRequest): Promise<Reconciled> {
  const rows: Record<string, number> = {};
  const differences: Difference[] = [];
  let differenceCount = 0;
  for (const table of FOLDS) await client.query(createKeptTable(table));
  for (const scope of await lockScopes(client, request)) {
    for (const fold of FOLDS)
      rows[fold.table] = (rows[fold.table] ?? 0) + (await keepRows(client, fold, scope));
    await refold(client, scope);
    for (const fold of FOLDS) {
      const found = await compareRows(client, { fold, scope, limit: MAX_DIFFERENCES - differences.length });
      differences.push(...found.differences);
      differenceCount += found.count;
    }
  }
  return { rows, differenceCount, differences };
}

/** All miners of the validator, since the rebuild of one run may change the rank of any. */
const ALL_MINERS: FoldTable = {
  ...MINER_FOLD,
  where: 'validator_id = $1',
  values: ({ validatorId }) => [validatorId],
};
const FOLDS = [...RUN_FOLDS, ALL_MINERS];

const keptTable = ({ table }: FoldTable): string => `kept_${table}`;
const createKeptTable = (fold: FoldTable): string =>
  `create temporary table ${keptTable(fold)} (like ${fold.table}) on commit drop`;

async function keepRows(client: ClientBase, fold: FoldTable, scope: RebuildScope): Promise<number> {
  const { rowCount } = await client.query(
    `insert into ${keptTable(fold)} select * from ${fold.table} where ${fold.where}`,
    [...fold.values(scope)],
  );
  return rowCount ?? 0;
}

/** Compares rows as JSON text, since the type `json` has no equality operator. */
function comparison({ table, key, where }: FoldTable, kept: string, limit: string): string {
  const columns = key.join(', ');
  const keyObject = key.map((name) => `'${name}', pair.${name}`).join(', ');
  const sideOf = (source: string): string =>
    `select ${columns}, row_to_json(${source}) as row from ${source} where ${where}`;
  return `
    with kept as (${sideOf(kept)}), folded as (${sideOf(table)}), pair as (
      select ${columns}, kept.row as kept, folded.row as folded
      from kept full join folded using (${columns})
      where kept.row::text is distinct from folded.row::text
    )
    select json_build_object(${keyObject}) as key, difference.*, count(*) over ()::float8 as count
    from pair cross join lateral (
      select null as "column", case when pair.kept is not null then 'a row' end as "inTables",
        case when pair.folded is not null then 'a row' end as "fromLog"
      where pair.kept is null or pair.folded is null
      union all
      select key, own.value, other.value
      from json_each_text(pair.kept) as own full join json_each_text(pair.folded) as other using (key)
      where own.value is distinct from other.value and pair.kept is not null and pair.folded is not null
    ) as difference
    order by ${key.map((name) => `pair.${name}`).join(', ')}, difference."column" limit ${limit}`;
}

interface Comparison {
  readonly fold: FoldTable;
  readonly scope: RebuildScope;
  readonly limit: number;
}

/** Reads at least one row, since the total count is a column of each. */
async function compareRows(
  client: ClientBase,
  { fold, scope, limit }: Comparison,
): Promise<{ readonly count: number; readonly differences: readonly Difference[] }> {
  const values = fold.values(scope);
  const { rows } = await client.query<Omit<Difference, 'table'> & { count: number }>(
    comparison(fold, keptTable(fold), `$${values.length + 1}`),
    [...values, Math.max(1, limit)],
  );
  const differences = rows.slice(0, limit).map(({ key, column, inTables, fromLog }) => ({
    table: fold.table,
    key,
    column,
    inTables,
    fromLog,
  }));
  return { count: rows[0]?.count ?? 0, differences };
}
