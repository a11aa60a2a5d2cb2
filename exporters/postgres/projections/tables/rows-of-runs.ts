import type { ClientBase } from 'pg';
import { MINER_RUN_KEY, RUN_KEY, type MinerRun } from '#postgres/log/recorded-fact';
import { keyRows, updateRows, type Column } from '#postgres/sql/columns';
import { effectiveChanges, type RunChange, type RunChanges } from '../run-changes.ts';

/** A row that depends on its run, which changed, while its own fold did not. */
export interface RowOfRun<Fold> {
  readonly owner: MinerRun;
  readonly fold: Fold;
  readonly run: RunChange;
}

interface Stored<Fold> {
  readonly validatorId: number;
  readonly runId: number;
  readonly minerHotkey: string;
  readonly fold: Fold;
}

/**
 * Reads the rows of the runs that changed in what they add to their forecasts, without those that the
 * batch wrote already. One query, and none in a batch without such a run. The row locks on the validators exclude concurrent writers.
 */
export async function readRowsOfRuns<Fold>(
  client: ClientBase,
  table: string,
  { runs, written }: { readonly runs: RunChanges; readonly written: readonly MinerRun[] },
): Promise<readonly RowOfRun<Fold>[]> {
  const changes = effectiveChanges(runs);
  if (changes.length === 0) return [];
  const known = new Set(
    written.map(({ validatorId, minerHotkey, fact }) => textOf(validatorId, fact.runId, minerHotkey)),
  );
  const keys = keyRows(RUN_KEY, changes);
  const { rows } = await client.query<Stored<Fold>>(
    `select stored.validator_id as "validatorId", stored.run_id::float8 as "runId",
       stored.miner_hotkey as "minerHotkey", stored.fold
     from ${table} as stored join ${keys.text} using (validator_id, run_id)`,
    keys.values,
  );
  return rows.flatMap(({ validatorId, runId, minerHotkey, fold }) => {
    const run = changes.find((change) => change.validatorId === validatorId && change.runId === runId);
    if (run === undefined || known.has(textOf(validatorId, runId, minerHotkey))) return [];
    const { validatorHotkey } = run;
    return [{ owner: { validatorId, minerHotkey, fact: { runId, validatorHotkey } }, fold, run }];
  });
}

const textOf = (validatorId: number, runId: number, minerHotkey: string): string =>
  `${validatorId}/${runId}/${minerHotkey}`;

/** Writes columns of rows that exist, in one statement; the key comes from the owner of each row. */
export async function updateRowsOfRuns<Row extends { readonly owner: MinerRun }>(
  client: ClientBase,
  { table, columns }: { readonly table: string; readonly columns: readonly Column<Row>[] },
  rows: readonly Row[],
): Promise<void> {
  if (rows.length === 0) return;
  const key = MINER_RUN_KEY.map(({ name, type, value }) => ({
    name,
    type,
    value: ({ owner }: Row) => value(owner),
  }));
  const update = updateRows(table, { key, columns }, rows);
  await client.query(update.text, update.values);
}
