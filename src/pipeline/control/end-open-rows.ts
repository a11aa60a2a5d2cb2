import type { Queryable } from '#database/transaction';
import type { StepName } from '#semconv';
import type { Failure } from './moves.ts';

/** Why and where the miners and leads of a run end with it. */
export interface RunFailure extends Failure {
  /** The step in which the run ended; null when it was ended from outside. */
  readonly failedStep: StepName | null;
}

/**
 * Ends the leads and miners of a run that have not ended, with the failure of the run. Their queued jobs become
 * obsolete, because the revisions of the rows change. It locks leads, then miners; the caller moves the run afterwards,
 * in the order of the steps: no deadlock.
 */
export async function endOpenRows(
  client: Queryable,
  runId: number,
  { category, message, failedStep }: RunFailure,
): Promise<void> {
  for (const { table, key, ends, step } of OPEN_ROWS) {
    await client.query(
      `update pipeline.${table}
       set state = 'failed', revision = revision + 1, next_at = null, failure_category = $3, failure_message = $4${step}
       where (${key}) in (
         select ${key} from pipeline.${table} where run_id = $1 and state <> all ($2) order by ${key} for update)`,
      [runId, ends, category, message, ...(step === '' ? [] : [failedStep])],
    );
  }
}

const OPEN_ROWS = [
  { table: 'leads', key: 'run_id, miner_uid, score_type, lead_hours', ends: ['scored', 'failed'], step: '' },
  {
    table: 'run_miners',
    key: 'run_id, miner_uid',
    ends: ['completed', 'failed'],
    step: ', failed_step = $5',
  },
] as const;
