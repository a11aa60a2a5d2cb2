import type { ClientBase, Pool } from 'pg';
import type { HeldPartition, HoldingRun } from '#facts/pipeline-state';
import { RUN_STATUSES, TERMINAL_RUN_STATUSES, type RunStatus } from '#semconv';
import { sqlStateOf } from '../sql/database-error.ts';
import { type ExpiredPartition, findExpired, type RetentionClock } from './expired-partitions.ts';
import { isError } from '#semconv/message-of';

const DAY = 86_400_000_000;

/**
 * No run lasts longer, days: the truth of its last lead, 10 days after T0, is given up 30 days later, and the retries
 * and the aggregation follow.
 */
export const LONGEST_RUN_DAYS = 45;

const isTerminal = (status: RunStatus): boolean =>
  (TERMINAL_RUN_STATUSES as readonly RunStatus[]).includes(status);
const OPEN_STATUSES = RUN_STATUSES.filter((status) => !isTerminal(status));

/** Runs that are named for one partition; one is enough to keep it. */
const MAX_RUNS = 32;

/**
 * Loose index scan: one index lookup for each run of the partition, whatever the number of its rows. It ends as soon as
 * enough runs are found.
 *
 * A run with a status has ended when it has a completion time, as in the views. A run without a status, or without a
 * row, may be a stray span, of which nobody will ever report the end: `$2` says whether such a run counts. A run began
 * with the first step of it as a whole, which has no column: before `$3` for an overdue run.
 */
const holdingRuns = (partition: string): string => `
  with recursive run as (
    (select validator_id, run_id from ${partition} order by validator_id, run_id limit 1)
    union all
    select next.validator_id, next.run_id from run cross join lateral (
      select validator_id, run_id from ${partition} as step
      where (step.validator_id, step.run_id) > (run.validator_id, run.run_id)
      order by validator_id, run_id limit 1) as next
  )
  select validator_id as "validatorId", validator.hotkey as "validatorHotkey", run_id::float8 as "runId", status,
    coalesce((fold #>> '{oldest,trace,at,0}')::float8 < $3, not $2) as "isOverdue"
  from run
  left join lateral (
    select status, completion_time, fold from weather_forecast_runs as row
    where (row.validator_id, row.id) = (run.validator_id, run.run_id)) as row on true
  cross join lateral (select hotkey from validators where id = run.validator_id) as validator
  where completion_time is null and (status = any ($1) or $2)
  limit ${MAX_RUNS}`;

/**
 * The runs that have not ended and have rows in the partition, up to 32 of them, in key order. A run without a status
 * counts until the partition ended longer ago than any run lasts.
 *
 * The answer is final for a caller that has locked the partition against writers.
 */
export async function readHoldingRuns(
  client: ClientBase | Pool,
  partition: ExpiredPartition,
  now: Date,
): Promise<readonly HoldingRun[]> {
  const oldestStart = now.getTime() * 1000 - LONGEST_RUN_DAYS * DAY;
  const { rows } = await client.query<Omit<HoldingRun, 'status'> & { readonly status: string | null }>(
    holdingRuns(partition.name),
    [OPEN_STATUSES, partition.to > oldestStart, oldestStart],
  );
  return rows
    .map((row) => ({ ...row, status: RUN_STATUSES.find((status) => status === row.status) ?? null }))
    .sort((a, b) => a.validatorId - b.validatorId || a.runId - b.runId);
}

/** The partition as one that is kept for these runs. */
export const toHeldPartition = (
  { name, expiredAt }: ExpiredPartition,
  runs: readonly HoldingRun[],
): HeldPartition => ({ name, expiredAt, runs });

/** SQLSTATE of undefined table. */
const UNDEFINED_TABLE = '42P01';

/** The expired partitions that the next maintenance would keep, and the runs for which it would. Changes nothing. */
export async function findHeldPartitions(
  pool: Pool,
  clock: RetentionClock,
): Promise<readonly HeldPartition[]> {
  const held: HeldPartition[] = [];
  for (const partition of await findExpired(pool, clock)) {
    const runs = await readHoldingRuns(pool, partition, clock.now).catch((error: unknown) => {
      // A maintainer dropped it in between.
      if (isError(error) && sqlStateOf(error) === UNDEFINED_TABLE) return [];
      throw error;
    });
    if (runs.length > 0) held.push(toHeldPartition(partition, runs));
  }
  return held;
}
