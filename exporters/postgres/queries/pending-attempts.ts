import type { ClientBase } from 'pg';
import type { ByStep, ScheduledRetries } from '#facts/pipeline-state';
import type { EpochMicros } from '#facts/step-fact';
import type { StepName } from '#semconv';
import { epochMicros, timestamp } from '../sql/sql-values.ts';
import { stepNameOf } from './parse-closed-sets.ts';
import { runParameters, type RunKey } from './open-runs.ts';

/** Newest attempts of one step (and lead) of one run that await another attempt. */
export interface PendingAttempts extends RunKey {
  readonly step: string;
  readonly leadHours: number | null;
  readonly waitsForTruth: boolean;
  readonly attempts: number;
  /** Those of them with a retry time. */
  readonly scheduled: number;
  readonly overdue: number;
  readonly oldestDue: EpochMicros | null;
  /** One of the miners. */
  readonly minerHotkey: string | null;
}

/** The steps that are retried; must match the predicate of the partial index `weather_forecast_steps_newest`. */
const RETRYABLE_STEPS = `step_name in ('seed', 'query', 'poll', 'verify', 'day1', 'era5', 'aggregate')`;

/**
 * The newest attempts, in the order of the view `newest_attempts`. Finished ones come from an index-only scan; those
 * followed by a running attempt are excluded, and those of a forecast that has ended.
 */
const PENDING = `
  with newest as materialized (
    select attempt.* from unnest($1::int[], $2::bigint[]) as run (validator_id, id)
    cross join lateral (
      select distinct on (miner_hotkey, step_name, lead_hours) validator_id, run_id, miner_hotkey, step_name,
        lead_hours, completed_at, status, next_retry_time
      from weather_forecast_steps_finished
      where validator_id = run.validator_id and run_id = run.id and ${RETRYABLE_STEPS}
      order by miner_hotkey, step_name, lead_hours, completed_at desc, attempt desc, span_id desc
    ) as attempt
    where attempt.status in ('retry_scheduled', 'waiting_for_truth')
  )
  select validator_id as "validatorId", run_id as "runId", step_name as step, lead_hours as "leadHours",
    status = 'waiting_for_truth' as "waitsForTruth", count(*)::int as attempts,
    count(next_retry_time)::int as scheduled, count(*) filter (where next_retry_time < $3)::int as overdue,
    ${epochMicros('min(next_retry_time) filter (where next_retry_time < $3)')} as "oldestDue",
    min(miner_hotkey) as "minerHotkey"
  from newest
  where not exists (
    select from weather_forecast_steps_running as running
    where (running.validator_id, running.run_id, running.step_name)
        = (newest.validator_id, newest.run_id, newest.step_name)
      and coalesce(running.miner_hotkey, '') = coalesce(newest.miner_hotkey, '')
      and coalesce(running.lead_hours, -1) = coalesce(newest.lead_hours, -1)
      and running.started_at > newest.completed_at)
    and not exists (
      select from weather_forecast_stats as forecast
      where (forecast.validator_id, forecast.run_id, forecast.miner_hotkey)
          = (newest.validator_id, newest.run_id, newest.miner_hotkey)
        and forecast.forecast_status in ('completed', 'failed'))
  group by 1, 2, 3, 4, 5`;

/** The pending attempts of these runs; `now` decides which are overdue. */
export async function readPendingAttempts(
  client: ClientBase,
  runs: readonly RunKey[],
  now: EpochMicros,
): Promise<readonly PendingAttempts[]> {
  const { rows } = await client.query<PendingAttempts>(PENDING, [...runParameters(runs), timestamp(now)]);
  return rows;
}

/** The scheduled retries by step. A step that waits for truth has not failed and is excluded. */
export function retriesByStep(pending: readonly PendingAttempts[]): ByStep<ScheduledRetries> {
  const retries: Partial<Record<StepName, ScheduledRetries>> = {};
  for (const { waitsForTruth, scheduled, overdue, oldestDue, ...attempts } of pending) {
    const step = stepNameOf(attempts.step);
    if (waitsForTruth || scheduled === 0 || step === null) continue;
    const before = retries[step];
    retries[step] = {
      scheduled: (before?.scheduled ?? 0) + scheduled,
      overdue: (before?.overdue ?? 0) + overdue,
      oldestDue: earliest(before?.oldestDue ?? null, oldestDue),
    };
  }
  return retries;
}

export const earliest = (a: EpochMicros | null, b: EpochMicros | null): EpochMicros | null =>
  a === null || b === null ? (a ?? b) : Math.min(a, b);

/**
 * `weather.truth.due_time` of the newest attempt; its `next_retry_time` is only the next poll. The truth of a lead is
 * due at one time for all miners of a run, so one miner is read.
 */
const TRUTH_DUE = `
  select lead.validator_id as "validatorId", lead.run_id as "runId", lead.step_name as step,
    (step.facts -> 'state' ->> 'truthDueTime')::float8 as "dueAt"
  from unnest($1::int[], $2::bigint[], $3::text[], $4::text[], $5::int[])
    as lead (validator_id, run_id, miner_hotkey, step_name, lead_hours)
  cross join lateral (
    select facts from weather_forecast_steps_finished
    where (validator_id, run_id, miner_hotkey, step_name, lead_hours)
        = (lead.validator_id, lead.run_id, lead.miner_hotkey, lead.step_name, lead.lead_hours)
      and ${RETRYABLE_STEPS}
    order by completed_at desc, attempt desc, span_id desc limit 1
  ) as step`;

export interface TruthDue extends RunKey {
  readonly step: string;
  /** Null when the span has no due time. */
  readonly dueAt: EpochMicros | null;
}

/** Due times of the truth of each lead that waits for it. */
export async function readTruthDue(
  client: ClientBase,
  pending: readonly PendingAttempts[],
): Promise<readonly TruthDue[]> {
  const leads = pending.filter(({ waitsForTruth }) => waitsForTruth);
  if (leads.length === 0) return [];
  const { rows } = await client.query<TruthDue>(TRUTH_DUE, [
    ...runParameters(leads),
    leads.map(({ minerHotkey }) => minerHotkey),
    leads.map(({ step }) => step),
    leads.map(({ leadHours }) => leadHours),
  ]);
  return rows;
}
