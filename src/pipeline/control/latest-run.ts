import type { Pool } from 'pg';
import type { Queryable } from '#database/transaction';
import type { RunRow } from './run-row.ts';

/** The newest run of a validator for a cycle, under way or over. @returns null when there was none */
export async function loadLatestRun(
  pool: Pool | Queryable,
  { validatorHotkey, initTime }: Pick<RunRow, 'validatorHotkey' | 'initTime'>,
): Promise<Pick<RunRow, 'runId'> | null> {
  const { rows } = await pool.query<Pick<RunRow, 'runId'>>(
    `select run_id as "runId" from pipeline.runs
     where validator_hotkey = $1 and init_time = $2 order by run_id desc limit 1`,
    [validatorHotkey, initTime],
  );
  return rows[0] ?? null;
}
