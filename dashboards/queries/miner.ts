import type { StepName } from '#semconv';
import { linkedTrace, linkedTraceOfRow, ofMiner, ofMinerInRun } from '../panels/sql.ts';

/** A call over the wire; it lies within another step. */
const CALL: StepName = 'communication';

export const MINER_TOTALS = `
select stats.miner_rank, stats.avg_forecast_score, stats.forecast_success_ratio, stats.host_reliability_ratio,
  stats.avg_era5_completeness
from miner_stats as stats
where ${ofMiner('stats')}`;

export const MINER_STREAKS = `
select stats.consecutive_successes, stats.consecutive_failures, stats.successful_forecasts, stats.failed_forecasts,
  stats.excused_forecasts
from miner_stats as stats
where ${ofMiner('stats')}`;

export const MINER_TIMES = `
select stats.last_active, stats.last_successful_forecast, stats.last_failed_forecast
from miner_stats as stats
where ${ofMiner('stats')}`;

/**
 * One row per T0, of its newest run, over the last 400; T0 as a number, for a panel that ignores the time range.
 * Finished forecasts only: the index by time is partial and holds no others.
 */
const overRuns = (columns: readonly string[]): string => `
select extract(epoch from history.forecast_init_time)::double precision * 1000 as init_ms,
  ${columns.map((name) => `history.${name}`).join(', ')}
from (
  select distinct on (forecast.forecast_init_time) forecast.*
  from weather_forecast_stats as forecast
  where ${ofMiner('forecast')} and forecast.forecast_status in ('completed', 'failed')
    and forecast.forecast_init_time is not null
  order by forecast.forecast_init_time desc, forecast.run_id desc
  limit 400
) as history
order by 1`;

export const SCORE_HISTORY = overRuns([
  'overall_forecast_score',
  'era5_combined_score',
  'forecast_score_initial',
]);
export const RANK_HISTORY = overRuns(['miner_rank']);

export const FORECAST_HISTORY = `
select forecast.run_id::text as run_id, forecast.forecast_init_time, forecast.forecast_status,
  forecast.current_forecast_stage, forecast.miner_rank, forecast.overall_forecast_score, forecast.era5_combined_score,
  forecast.forecast_score_initial, forecast.era5_completeness, forecast.forecast_inference_duration_seconds,
  forecast.last_error_message, ${linkedTraceOfRow('forecast')} as trace_id, forecast.miner_hotkey,
  floor(extract(epoch from forecast.created_at) * 1000)::bigint::text as from_ms,
  ceil(extract(epoch from forecast.updated_at) * 1000)::bigint::text as to_ms
from weather_forecast_stats as forecast
where ${ofMiner('forecast')}
order by forecast.forecast_init_time desc nulls last, forecast.run_id desc
limit 400`;

export const ERRORS_BY_CATEGORY = `
select error.key || coalesce(' · ' || category.fault, '') as error_type, error.value::bigint as failures, category.fault
from miner_stats as stats
cross join lateral jsonb_each_text(stats.common_errors) as error
left join error_categories as category on category.category = error.key
where ${ofMiner('stats')}
order by 2 desc, 1`;

export const STEP_LATENCIES = `
select step.step_name, count(*) as attempts, count(*) filter (where step.error_type is not null) as with_error,
  avg(step.latency_ms) as mean_ms, percentile_cont(0.95) within group (order by step.latency_ms) as p95_ms,
  max(step.latency_ms) as longest_ms
from weather_forecast_steps as step
where ${ofMinerInRun('step')} and step.completed_at is not null
group by step.step_name
order by mean_ms desc`;

export const ATTEMPTS = `
select attempt.started_at, attempt.step_name, attempt.substep, attempt.lead_hours,
  attempt.attempt || coalesce(' of ' || attempt.max_attempts, '') as attempt, attempt.status, attempt.latency_ms, attempt.error_type, attempt.error_message, attempt.next_retry_time,
  ${linkedTrace('attempt')} as trace_id, attempt.span_id
from forecast_timeline as attempt
where ${ofMinerInRun('attempt')}
order by attempt.started_at, attempt.span_id
limit 1000`;

/** One lane per step and lead, since leads overlap in time. Calls are left out: they repeat the lane of the step around them. */
export const ATTEMPT_LANES = `
select moment.time, moment.lane, moment.state
from (
  select edge.time, edge.state, edge.place,
    step.step_name || coalesce(' ' || step.lead_hours || ' h', '') as lane
  from weather_forecast_steps as step
  cross join lateral (values
    (step.started_at, step.status, 1), (step.completed_at, null, 0)) as edge (time, state, place)
  where ${ofMinerInRun('step')} and $__timeFilter(step.started_at) and edge.time is not null
    and step.step_name <> '${CALL}'
) as moment
order by moment.time, moment.place`;
