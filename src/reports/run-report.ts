import type { Pool } from 'pg';
import { ERA5_LEAD_HOURS, VARIABLES } from '#semconv';
import { utcText } from './utc-text.ts';

/** One miner in the report of a run. */
export interface MinerReport {
  readonly rank: number | null;
  readonly uid: number | null;
  readonly hotkey: string;
  /** The profile of a simulated miner. It is not recorded; the command that started the miner adds it. */
  readonly profile?: string | null;
  readonly forecast_status: string;
  readonly stage: string | null;
  readonly stage_status: string | null;
  readonly day1_score: number | null;
  /** By lead in hours; null where the lead has no score. */
  readonly era5_scores: Readonly<Record<string, number | null>>;
  readonly era5_combined_score: number | null;
  readonly era5_completeness: number;
  readonly overall_forecast_score: number | null;
  readonly avg_acc: number | null;
  readonly avg_skill_score: number | null;
  /** Attempts beyond the first, over all steps. */
  readonly retries: number;
  readonly last_error: string | null;
  readonly error_type: string | null;
  readonly next_scheduled_retry: string | null;
  /**
   * Variables of the full set without a score in a forecast scored against ERA5: the forecast or its comparison data lacks them.
   */
  readonly missing_variables: readonly string[];
  readonly trace_id: string | null;
}

/** A run as it was recorded. */
export interface RunReport {
  readonly run: {
    readonly validator_hotkey: string;
    readonly id: number;
    readonly init_time: string | null;
    readonly status: string | null;
    readonly error: string | null;
    readonly duration_seconds: number | null;
    readonly trace_id: string | null;
  };
  readonly miners: readonly MinerReport[];
  /** Rows of this run, by recorded table. */
  readonly recorded: Readonly<Record<string, number>>;
  readonly completeness: {
    readonly started: number;
    readonly recorded: number;
    readonly in_flight: number;
    /** What nobody can know: whether a process that does not number its spans lost some; null when each numbers them. */
    readonly sender_loss: string | null;
  };
}

const LEADS = ERA5_LEAD_HOURS.map((lead) => `'${lead}', forecast.era5_score_${lead}h`).join(', ');

const MINERS = `
  select forecast.miner_rank as rank, forecast.miner_uid as uid, forecast.miner_hotkey as hotkey,
    forecast.forecast_status, forecast.current_forecast_stage as stage, forecast.current_forecast_status as stage_status,
    forecast.forecast_score_initial as day1_score, json_build_object(${LEADS}) as era5_scores,
    forecast.era5_combined_score, forecast.era5_completeness, forecast.overall_forecast_score, forecast.avg_acc,
    forecast.avg_skill_score, steps.retries::float8 as retries,
    forecast.last_error_message as last_error, forecast.forecast_error_msg ->> 'type' as error_type,
    ${utcText('forecast.next_scheduled_retry')} as next_scheduled_retry,
    coalesce(missing.variables, '[]') as missing_variables, forecast.trace_id
  from weather_forecast_stats as forecast
  cross join lateral (
    select count(*) as retries from weather_forecast_steps as step
    where (step.validator_id, step.run_id, step.miner_hotkey)
        = (forecast.validator_id, forecast.run_id, forecast.miner_hotkey)
      and attempt > 1 and step_name not in ('communication', 'poll')
  ) as steps
  cross join lateral (
    select array_agg(distinct variable_name) as variables from weather_forecast_component_scores as score
    where (score.validator_id, score.run_id, score.miner_hotkey)
        = (forecast.validator_id, forecast.run_id, forecast.miner_hotkey)
      and score_type = 'era5' and failed_check is null and forecast.era5_scored_leads > 0
  ) as scored
  cross join lateral (
    select jsonb_agg(name order by name) as variables from (
      select name from unnest($3::text[]) as name
      where array_length(scored.variables, 1) > 0 and name <> all (scored.variables)
      union
      select reported.name from weather_forecast_steps as step, jsonb_array_elements_text(
        case jsonb_typeof(step.context -> 'missing_variables') when 'array' then step.context -> 'missing_variables' end
      ) as reported (name)
      where (step.validator_id, step.run_id, step.miner_hotkey)
          = (forecast.validator_id, forecast.run_id, forecast.miner_hotkey)
        and (scored.variables is null or reported.name = any ($3)
          or regexp_replace(reported.name, '\\d+$', '') = any (scored.variables))) as named
  ) as missing
  where (forecast.validator_id, forecast.run_id) = ($1, $2)
  order by forecast.miner_rank nulls last, forecast.miner_uid`;

const RUN = `
  select validator.hotkey as validator_hotkey, run.id::float8 as id, ${utcText('gfs_init_time_utc')} as init_time, run.status,
    run.error_message as error,
    extract(epoch from completion_time - run_initiation_time)::float8 as duration_seconds, run.trace_id
  from weather_forecast_runs as run join validators as validator on validator.id = run.validator_id
  where (run.validator_id, run.id) = ($1, $2)`;

const COUNTED = [
  'weather_forecast_steps',
  'weather_forecast_component_scores',
  'weather_miner_responses',
  'weather_forecast_stats',
  'validator_job_logs',
];
const COUNTS = `
  select 'weather_forecast_runs' as name, count(*)::float8 as rows from weather_forecast_runs
  where (validator_id, id) = ($1, $2)
  ${COUNTED.map((table) => `union all select '${table}', count(*) from ${table} where (validator_id, run_id) = ($1, $2)`).join('\n  ')}
  union all select 'miner_stats', count(*) from miner_stats where validator_id = $1 and miner_hotkey in
    (select miner_hotkey from weather_forecast_stats where (validator_id, run_id) = ($1, $2))`;

const COMPLETENESS = `
  select started::float8 as started, recorded::float8 as recorded, in_flight::float8 as in_flight,
    sender_loss
  from run_completeness where validator_id = $1 and run_id = $2`;

/** Reads the recorded rows of a run of a validator; null when it is not recorded. */
export async function readRunReport(
  pool: Pool,
  { validatorHotkey, runId }: { readonly validatorHotkey: string; readonly runId: number },
): Promise<RunReport | null> {
  const { rows: validators } = await pool.query<{ id: number }>(
    'select id from validators where hotkey = $1',
    [validatorHotkey],
  );
  const key = [validators[0]?.id ?? null, runId];
  const [run] = (await pool.query<RunReport['run']>(RUN, key)).rows;
  if (run === undefined) return null;
  const { rows: miners } = await pool.query<MinerReport>(MINERS, [...key, VARIABLES]);
  const { rows: counts } = await pool.query<{ name: string; rows: number }>(COUNTS, key);
  const { rows: completeness } = await pool.query<RunReport['completeness']>(COMPLETENESS, key);
  return {
    run,
    miners,
    recorded: Object.fromEntries(counts.map(({ name, rows }) => [name, rows])),
    completeness: completeness[0] ?? { started: 0, recorded: 0, in_flight: 0, sender_loss: null },
  };
}
