import type { ErrorCategory, RunStatus, StepName } from '#semconv';
import type { Queryable } from '#database/transaction';
import type { LeadRow } from './lead-row.ts';
import type { MinerRow } from './miner-row.ts';
import type { RunRow } from './run-row.ts';
import {
  isTerminal,
  LEAD_TRANSITIONS,
  MINER_TRANSITIONS,
  requireTransition,
  RUN_TRANSITIONS,
  type LeadState,
  type MinerState,
} from './transitions.ts';

/** Why a run, miner or lead failed. The message is already scrubbed of secrets. */
export interface Failure {
  readonly category: ErrorCategory;
  readonly message: string;
}

/** A transition under optimistic locking: made only when the row still has the revision that it was loaded with. */
export interface Move<State> {
  readonly to: State;
  /** Number of the next attempt; 1 unless given. */
  readonly attempt?: number;
  /** When it is due; nothing is queued unless given. */
  readonly nextAt?: Date;
  /** Span of the attempt that was just made, for the next one to link to; none when a new step begins. */
  readonly attemptTraceparent?: string | null;
  readonly failure?: Failure;
}

/**
 * Makes a transition of a run.
 *
 * @returns false when another worker was first; the caller then rolls back
 * @throws RangeError for a transition that is not in the table
 */
export async function moveRun(
  client: Queryable,
  run: RunRow,
  move: Move<RunStatus> & { readonly at: Date },
): Promise<boolean> {
  requireTransition(RUN_TRANSITIONS, run.status, move.to);
  const { rowCount } = await client.query(
    `update pipeline.runs
     set status = $3, revision = revision + 1, attempt = $4, next_at = $5, attempt_traceparent = $6,
         failure_category = $7, failure_message = $8, finished_at = $9
     where run_id = $1 and revision = $2`,
    [run.runId, run.revision, ...moveValues(move), isTerminal(RUN_TRANSITIONS, move.to) ? move.at : null],
  );
  return rowCount === 1;
}

/** Makes a transition of a miner, like {@link moveRun}. */
export async function moveMiner(
  client: Queryable,
  miner: MinerRow,
  move: Move<MinerState> & { readonly failedStep?: StepName },
): Promise<boolean> {
  requireTransition(MINER_TRANSITIONS, miner.state, move.to);
  const { rowCount } = await client.query(
    `update pipeline.run_miners
     set state = $4, revision = revision + 1, attempt = $5, next_at = $6, attempt_traceparent = $7,
         failure_category = $8, failure_message = $9, failed_step = $10
     where run_id = $1 and miner_uid = $2 and revision = $3`,
    [miner.runId, miner.uid, miner.revision, ...moveValues(move), move.failedStep ?? null],
  );
  return rowCount === 1;
}

/** Makes a transition of a lead, like {@link moveRun}. */
export async function moveLead(
  client: Queryable,
  lead: LeadRow,
  move: Move<LeadState> & { readonly score?: number },
): Promise<boolean> {
  requireTransition(LEAD_TRANSITIONS, lead.state, move.to);
  const { rowCount } = await client.query(
    `update pipeline.leads
     set state = $6, revision = revision + 1, attempt = $7, next_at = $8, attempt_traceparent = $9,
         failure_category = $10, failure_message = $11, score = $12
     where run_id = $1 and miner_uid = $2 and score_type = $3 and lead_hours = $4 and revision = $5`,
    [
      lead.runId,
      lead.minerUid,
      lead.scoreType,
      lead.leadHours,
      lead.revision,
      ...moveValues(move),
      move.score ?? null,
    ],
  );
  return rowCount === 1;
}

const moveValues = (move: Move<string>): unknown[] => [
  move.to,
  move.attempt ?? 1,
  move.nextAt ?? null,
  move.attemptTraceparent ?? null,
  move.failure?.category ?? null,
  move.failure?.message ?? null,
];
