import { ControlStateError } from './control-state-error.ts';
import type { Queryable } from '#database/transaction';
import type { MinerRow } from './miner-row.ts';

/** The unique index that lets no two miners of a run hold the same job. */
const ONE_HOLDER_INDEX = 'run_miners_one_holder_per_job';

/** Keeps the root of the miner's trace. */
export async function recordRootTrace(
  client: Queryable,
  miner: MinerRow,
  traceparent: string | null,
): Promise<void> {
  await client.query(
    'update pipeline.run_miners set root_traceparent = $3 where run_id = $1 and miner_uid = $2',
    [miner.runId, miner.uid, traceparent],
  );
}

/** Keeps the miner's own job. Throws what `isJobHeldByAnother` recognises when another miner of the run has it. */
export async function recordAcceptance(
  client: Queryable,
  miner: MinerRow,
  { jobId, acceptedAt }: { readonly jobId: string; readonly acceptedAt: Date },
): Promise<void> {
  await client.query(
    `update pipeline.run_miners set job_id = $3, job_accepted_at = $4 where run_id = $1 and miner_uid = $2`,
    [miner.runId, miner.uid, jobId, acceptedAt],
  );
}

/** Keeps when the forecast was first seen complete. */
export async function recordCompletion(client: Queryable, miner: MinerRow, completedAt: Date): Promise<void> {
  await client.query(
    'update pipeline.run_miners set inference_completed_at = $3 where run_id = $1 and miner_uid = $2',
    [miner.runId, miner.uid, completedAt],
  );
}

/** Whether recording an acceptance failed because the job belongs to another miner: one machine behind two slots. */
export function isJobHeldByAnother(error: unknown): boolean {
  const cause = error instanceof ControlStateError ? error.cause : error;
  return cause instanceof Error && 'constraint' in cause && cause.constraint === ONE_HOLDER_INDEX;
}
