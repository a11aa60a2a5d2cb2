import type { Pool } from 'pg';
import type { Queryable } from '#database/transaction';
import type { ErrorCategory, StepName } from '#semconv';
import type { Miner } from '../miners/miner.ts';
import { ControlStateError } from './control-state-error.ts';
import type { MinerState } from './transitions.ts';
import { isError } from '#semconv/message-of';

/** The unique index on job ids: no two miners of a run hold the same job. */
const ONE_HOLDER_INDEX = 'run_miners_one_holder_per_job';

/** Stores the root span of the miner's trace. */
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

/**
 * Stores the miner's job.
 *
 * @throws a unique violation when another miner of the run holds the job; `isJobHeldByAnother` recognizes it
 */
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

/** Stores when the forecast was first seen complete. */
export async function recordCompletion(client: Queryable, miner: MinerRow, completedAt: Date): Promise<void> {
  await client.query(
    'update pipeline.run_miners set inference_completed_at = $3 where run_id = $1 and miner_uid = $2',
    [miner.runId, miner.uid, completedAt],
  );
}

/** Whether recording an acceptance failed because the job belongs to another miner: one machine behind two slots. */
export function isJobHeldByAnother(error: unknown): boolean {
  const cause = error instanceof ControlStateError ? error.cause : error;
  return isError(cause) && 'constraint' in cause && cause.constraint === ONE_HOLDER_INDEX;
}

/** One miner of a run in control state. */
export interface MinerRow {
  readonly runId: number;
  readonly uid: number;
  readonly hotkey: string;
  /** Reveals the miner's address; never put it into an error or an attribute. */
  readonly baseUrl: string;
  readonly state: MinerState;
  readonly revision: number;
  /** Number of the next attempt in this state, from 1. */
  readonly attempt: number;
  readonly rootTraceparent: string | null;
  readonly attemptTraceparent: string | null;
  readonly jobId: string | null;
  readonly jobAcceptedAt: Date | null;
  readonly failedStep: StepName | null;
  readonly failureCategory: ErrorCategory | null;
  readonly failureMessage: string | null;
}

const COLUMNS = `run_id as "runId", miner_uid as uid, miner_hotkey as hotkey, base_url as "baseUrl", state, revision,
  attempt, root_traceparent as "rootTraceparent", attempt_traceparent as "attemptTraceparent", job_id as "jobId",
  job_accepted_at as "jobAcceptedAt", failed_step as "failedStep", failure_category as "failureCategory",
  failure_message as "failureMessage"`;

/** @returns null when the run has no such miner */
export async function loadMiner(
  pool: Pool | Queryable,
  runId: number,
  uid: number,
): Promise<MinerRow | null> {
  const { rows } = await pool.query<MinerRow>(
    `select ${COLUMNS} from pipeline.run_miners where run_id = $1 and miner_uid = $2`,
    [runId, uid],
  );
  return rows[0] ?? null;
}

/** The miners of a run in one state, by UID. */
export async function loadMinersIn(
  pool: Pool | Queryable,
  runId: number,
  state: MinerState,
): Promise<MinerRow[]> {
  const { rows } = await pool.query<MinerRow>(
    `select ${COLUMNS} from pipeline.run_miners where run_id = $1 and state = $2 order by miner_uid`,
    [runId, state],
  );
  return rows;
}

/** Inserts the miners of a run, in one statement. */
export async function insertMiners(
  client: Queryable,
  runId: number,
  miners: readonly Miner[],
): Promise<void> {
  await client.query(
    `insert into pipeline.run_miners (run_id, miner_uid, miner_hotkey, base_url)
     select $1, uid, hotkey, base_url from unnest($2::int[], $3::text[], $4::text[]) as miner (uid, hotkey, base_url)`,
    [runId, miners.map(({ uid }) => uid), miners.map(({ hotkey }) => hotkey), miners.map((m) => m.baseUrl)],
  );
}
