import type { Pool, PoolClient } from 'pg';
import {
  COMPONENT_PARTITIONS,
  Partitions,
  STEP_PARTITIONS,
  type PartitionedTable,
} from '#postgres/log/partitions';
import { BENCH_EMITTER, benchMiner } from '../miner-run.ts';
import { SCORED_FIELDS } from './era5-spans.ts';
import { ERA5_LEAD_HOURS } from '#semconv';

/** Runs per statement, so that no sort exceeds memory. */
const CHUNK_OF_RUNS = 10;
const DAY_MICROS = 86_400_000_000;
const DAYS_AROUND = 15;

/** Size of the generated history. */
export interface HistorySize {
  readonly runs: number;
  readonly miners: number;
  /** Of the newest runs, with all fields at all leads. */
  readonly runsWithComponents: number;
  /** From one T0 to the next; 24 unless given. */
  readonly hoursBetweenRuns?: number;
  /** How long ago the newest T0 was; 0 unless given, then the newest runs are still under way. */
  readonly newestDaysAgo?: number;
  /** Without `miner_stats`, whose rows and folds the exporter makes itself then. */
  readonly isWithoutMinerStats?: boolean;
}

/** Forty steps of a miner in a run, as seconds after its T0: asked twice, polled, verified, scored lead by lead. */
const STEP_SHAPES = `
select row_number() over () as n, shape.* from (
  select 'seed' as step_name, 'seed_miner' as substep, null::int as lead, 1 as attempt, 6 as most, 'succeeded' as status,
    64800 as at, 12.0 as ms, null as error
  union all select 'query', 'initiate_fetch', null, n, 4, case n when 1 then 'retry_scheduled' else 'succeeded' end,
    64800 + n * 60, 900.0, case n when 1 then 'timeout' end from generate_series(1, 2) as n
  union all select 'communication', 'initiate_fetch', null, n, null, case n when 1 then 'failed' else 'succeeded' end,
    64800 + n * 60, 890.0, case n when 1 then 'timeout' end from generate_series(1, 2) as n
  union all select 'poll', 'attempt_' || n, null, n, 20, case when n < 5 then 'retry_scheduled' else 'succeeded' end,
    65000 + n * 300, 60.0, null from generate_series(1, 5) as n
  union all select 'communication', 'poll_job_status', null, n, null, 'succeeded', 65000 + n * 300, 55.0, null
    from generate_series(1, 5) as n
  union all select 'verify', 'manifest', null, 1, 4, 'succeeded', 67000, 400.0, null
  union all select 'communication', 'kerchunk_request', null, n, null, 'succeeded', 67000 + n, 80.0, null
    from generate_series(1, 2) as n
  union all select 'day1', 'score', 12, 1, 4, 'succeeded', 68000, 2400.0, null
  union all select 'era5', 'score', lead, 1, 5, 'waiting_for_truth', 69000, 8.0, null from unnest($1::int[]) as lead
  union all select 'era5', 'score', lead, 2, 5, 'succeeded', (lead + 126) * 3600, 3100.0, null from unnest($1::int[]) as lead
  union all select 'aggregate', 'miner_scores', null, 1, 4, 'succeeded', 366 * 3600 + 60, 20.0, null
) as shape`;

const MAKE_RUNS = `
create temporary table made_runs (id int, init_time timestamptz, is_open boolean)`;
const FILL_RUNS = `
insert into made_runs
select run, init_time, init_time > date_trunc('day', now()) - interval '16 days'
from generate_series(1, $1::int) as run
cross join lateral (select date_trunc('day', now()) - $3::int * interval '1 day'
  - ($1::int - run) * $2::int * interval '1 hour' as init_time) as made`;
const MAKE_MINERS = `
create temporary table made_miners (uid int, hotkey text, fails boolean)`;
const FILL_MINERS = `
insert into made_miners select uid, hotkey, uid % 11 = 3 from unnest($1::int[], $2::text[]) as miner (uid, hotkey)`;

/** Placeholder for the folds: panels do not read them, but their bytes lie between the columns that panels read. */
const FOLD = `json_build_object('newest', repeat('x', 1400), 'oldest', json_build_object())`;

const INSERT_RUNS = `
insert into weather_forecast_runs (validator_id, id, run_initiation_time, target_forecast_time_utc, gfs_init_time_utc,
  status, completion_time, trace_id, updated_at, fold)
select 1, run.id, run.init_time + interval '18 hours', run.init_time, run.init_time,
  case when run.is_open then 'awaiting_results' else 'completed' end,
  case when not run.is_open then run.init_time + interval '15 days' end, md5('run ' || run.id), now(),
  json_build_object('newest', repeat('x', 400), 'oldest', json_build_object(
    'status:' || case when run.is_open then 'awaiting_results' else 'completed' end,
    json_build_object('at', json_build_array(extract(epoch from run.init_time) * 1e6, 1, 1, 'a'), 'value', true)))
from made_runs as run`;

const scoreColumns = ERA5_LEAD_HOURS.map((lead) => `era5_score_${lead}h`);
const scoreValues = ERA5_LEAD_HOURS.map(
  (lead) =>
    `case when forecast.scored and forecast.age_hours > ${lead + 126} then forecast.score - ${lead} * 0.001 end`,
);
const INSERT_FORECASTS = `
insert into weather_forecast_stats (validator_id, id, miner_uid, miner_hotkey, miner_rank, run_id, forecast_init_time,
  forecast_status, current_forecast_stage, current_forecast_status, stage_since, last_error_message, retries_remaining,
  next_scheduled_retry, forecast_error_msg, forecast_score_initial, ${scoreColumns.join(', ')}, era5_combined_score,
  era5_completeness, era5_scored_leads, era5_expected_leads, overall_forecast_score, avg_rmse, avg_acc, avg_skill_score,
  forecast_type, forecast_inference_duration_seconds, hosting_status, hosting_latency_ms, validator_hotkey, completed_at,
  trace_id, created_at, updated_at, fold)
select 1, forecast.id * 1000 + forecast.uid, forecast.uid, forecast.hotkey,
  case when forecast.scored then rank() over (partition by forecast.id order by forecast.score desc) end, forecast.id,
  forecast.init_time,
  case when forecast.fails then 'failed' when forecast.is_open then 'era5_scoring' else 'completed' end,
  case when forecast.fails then 'inference_failed' when forecast.is_open then 'era5_scoring_120h' else 'complete' end,
  case when forecast.fails then 'failed' when forecast.is_open then 'waiting_for_truth' else 'completed' end,
  forecast.init_time + interval '19 hours', case when forecast.fails then 'the miner told that its inference failed' end,
  4, case when forecast.is_open and not forecast.fails then now() + interval '3 hours' end,
  case when forecast.fails then '{"type":"miner_inference","message":"inference failed"}'::jsonb end,
  case when forecast.scored then forecast.score + 0.05 end, ${scoreValues.join(', ')},
  case when forecast.scored then forecast.score end, 1, 10, 10, case when forecast.scored then forecast.score end,
  100.0, 0.8, 0.4, '10day', 4800, 'accessible', 180, '5Validator', case when not forecast.is_open then forecast.init_time + interval '15 days' end,
  md5('trace ' || forecast.id || '/' || forecast.uid), forecast.init_time + interval '18 hours', now(), ${FOLD}
from (
  select run.*, miner.*, not miner.fails as scored, extract(epoch from now() - run.init_time) / 3600 as age_hours,
    0.5 + 0.4 * sin(run.id * 0.37 + miner.uid) / 2 as score
  from made_runs as run cross join made_miners as miner
) as forecast
order by forecast.id, forecast.hotkey`;

const INSERT_RESPONSES = `
insert into weather_miner_responses (validator_id, id, run_id, miner_uid, miner_hotkey, response_time, job_id,
  verification_passed, status, retry_count, updated_at, trace_id, fold)
select 1, run.id * 1000 + miner.uid, run.id, miner.uid, miner.hotkey, run.init_time + interval '18 hours',
  md5('job' || run.id || miner.uid), true, 'forecast_submitted', 0, now(), md5('trace ' || run.id || '/' || miner.uid),
  json_build_object('newest', repeat('x', 900))
from made_runs as run cross join made_miners as miner
order by run.id, miner.hotkey`;

const INSERT_MINER_STATS = `
insert into miner_stats (validator_id, miner_uid, miner_hotkey, miner_rank, avg_forecast_score, successful_forecasts,
  failed_forecasts, forecast_success_ratio, hosting_successes, hosting_failures, host_reliability_ratio,
  avg_hosting_latency_ms, consecutive_successes, consecutive_failures, total_inference_time, common_errors,
  validator_hotkey, updated_at, fold)
select 1, miner.uid, miner.hotkey, 1 + miner.uid, 0.5, 349, 0, 1, 3000, 300, 0.9, 120, 349, 0, 1e6,
  '{"timeout":365,"miner_inference":12}', '5Validator', now(), ${FOLD}
from made_miners as miner`;

const INSERT_DECISIONS = `
insert into validator_job_logs (validator_id, trace_id, span_id, decision_index, run_id, created_at, level, decision,
  reason, message)
select 1, md5('run ' || run.id), left(md5(run.id || ' ' || n), 16), 0, run.id, run.init_time + n * interval '1 minute',
  'INFO', 'await_results', 'miners are under way', 'await_results: miners are under way'
from made_runs as run cross join generate_series(1, 20) as n`;

const INSERT_BOOKS = `
insert into emitters (validator_id, instance_id, first_seen, last_seen, spans, ended_spans, last_sequence,
  delivered_sequence, received, heartbeat_at)
select 1, 'instance-' || n, now() - interval '1 year', now(), 100000, 100000, 200000, 200000,
  '{[1,200001)}'::int8multirange, now()
from generate_series(1, 20) as n;
insert into emitter_runs (validator_id, instance_id, run_id, started, spooled, dropped, last_sequence, delivered_sequence)
select 1, 'instance-' || n, run.id, 5120, 0, '{}', 200000, 200000
from made_runs as run cross join generate_series(1, 2) as n;
insert into dead_letter_spans (trace_id, span_id, phase, reason, detail, span, validator_hotkey, run_id, instance_id)
select md5('dead' || n), left(md5('dead span' || n), 16), 'ended', 'invalid_attribute', 'weather.step.attempt is 0',
  '{}', '5Validator', 1 + n % 365, 'instance-1'
from generate_series(1, 2000) as n`;

/** The steps of miners up to now. */
const INSERT_STEPS = `
insert into weather_forecast_steps (validator_id, trace_id, span_id, span_name, instance_id, id, run_id, miner_uid,
  miner_hotkey, step_name, substep, lead_hours, attempt, max_attempts, status, started_at, completed_at, latency_ms,
  retry_count, retries_remaining, next_retry_time, error_type, error_json, context, facts)
select 1, md5('trace ' || run.id || '/' || miner.uid), left(md5(run.id || '/' || miner.uid || '/' || shape.n), 16),
  shape.step_name || ' ' || shape.substep, 'instance-' || 1 + miner.uid % 2, run.id * 100000 + miner.uid * 100 + shape.n,
  run.id, miner.uid, miner.hotkey, shape.step_name, shape.substep, shape.lead, shape.attempt, shape.most, shape.status,
  run.init_time + (shape.at + miner.uid) * interval '1 second',
  run.init_time + (shape.at + miner.uid + 1) * interval '1 second', shape.ms + miner.uid, shape.attempt - 1,
  shape.most - shape.attempt,
  case when shape.status = 'waiting_for_truth' then run.init_time + (shape.lead + 126) * interval '1 hour'
    when shape.status = 'retry_scheduled' then run.init_time + (shape.at + 300) * interval '1 second' end,
  shape.error,
  case when shape.error is not null then '{"type":"timeout","class":"Error","message":"no answer within 30 s"}'::jsonb end,
  case when shape.status = 'waiting_for_truth'
    then jsonb_build_object('truth_due_time', run.init_time + (shape.lead + 126) * interval '1 hour')
    else '{"bytes": 5120, "cpu_ms": 12.4, "peak_memory_bytes": 211812352}'::jsonb end,
  '{"stage": "era5_scoring_24h", "stageStatus": "scoring", "forecastStatus": "era5_scoring", "initTime": 1700000000000000}'
from made_runs as run
cross join made_miners as miner
cross join (${STEP_SHAPES}) as shape
where run.id > $2::int and run.id <= $3::int and run.init_time + (shape.at + miner.uid + 1) * interval '1 second' < now()
order by run.id, shape.at, miner.uid`;

const INSERT_COMPONENTS = `
insert into weather_forecast_component_scores (validator_id, run_id, response_id, miner_uid, miner_hotkey, score_type,
  lead_hours, valid_time_utc, variable_name, pressure_level, rmse, mse, acc, skill_score, skill_score_gfs,
  skill_score_climatology, bias, mae, variable_weight, calculated_at, calculation_duration_ms, trace_id, span_id)
select 1, run.id, run.id * 1000 + miner.uid, miner.uid, miner.hotkey, lead.score_type, lead.hours,
  run.init_time + lead.hours * interval '1 hour', field.variable, field.level, 1.5, 2.25, 0.9 - lead.hours * 0.002, 0.4,
  0.1, 0.4, -0.1, 1.1, 0.1, now(), 7.1, md5('trace ' || run.id || '/' || miner.uid),
  left(md5(run.id || '/' || miner.uid || '/' || lead.hours), 16)
from made_runs as run
cross join (select 'day1' as score_type, 12 as hours union all select 'era5', unnest($1::int[])) as lead
cross join made_miners as miner
cross join unnest($2::text[], $3::int[]) as field (variable, level)
where run.id > $4::int and run.id <= $5::int
order by run.id, lead.hours, miner.hotkey`;

/** Rare rows: a running step in the open runs, a repeated score, a step that ended after it was given up. */
const INSERT_RARITIES = `
insert into weather_forecast_steps (validator_id, trace_id, span_id, span_name, instance_id, id, run_id, miner_uid,
  miner_hotkey, step_name, substep, attempt, max_attempts, status, started_at, retry_count, retries_remaining, facts)
select 1, md5('trace ' || run.id || '/' || miner.uid), left(md5(run.id || '/' || miner.uid || '/running'), 16),
  'aggregate miner_scores', 'instance-1', run.id * 100000 + miner.uid * 100 + 98, run.id, miner.uid, miner.hotkey,
  'aggregate', 'miner_scores', 1, 4, 'in_progress', now() - interval '10 minutes', 0, 3, '{}'
from made_runs as run cross join made_miners as miner
where run.is_open and miner.uid < 40;
insert into weather_forecast_steps (validator_id, trace_id, span_id, span_name, instance_id, id, run_id, miner_uid,
  miner_hotkey, step_name, substep, lead_hours, attempt, max_attempts, status, started_at, completed_at, latency_ms,
  retry_count, retries_remaining, facts)
select step.validator_id, step.trace_id, left(md5(step.span_id), 16), step.span_name, step.instance_id, step.id + 1,
  step.run_id, step.miner_uid, step.miner_hotkey, step.step_name, step.substep, step.lead_hours, 2, 4, 'succeeded',
  step.started_at + interval '1 minute', step.completed_at + interval '1 minute', step.latency_ms, 1, 2, step.facts
from weather_forecast_steps_finished as step
where step.step_name = 'day1' and step.miner_uid % 16 = 1;
insert into closed_spans (validator_id, trace_id, span_id, run_id, started_at, reason, closed_at)
select step.validator_id, step.trace_id, step.span_id, step.run_id, step.started_at, 'heartbeat_lost', step.started_at
from weather_forecast_steps_finished as step
where step.step_name = 'verify' and step.miner_uid = 3`;

async function makePartitions(client: PoolClient, table: PartitionedTable, days: number): Promise<void> {
  const now = Date.now() * 1000;
  const instants = Array.from(
    { length: days + 2 * DAYS_AROUND },
    (_, day) => now + (DAYS_AROUND - day) * DAY_MICROS,
  );
  await new Partitions().ensure(client, table, instants);
}

/** The source tables of the inserts. */
async function makeRunsAndMiners(client: PoolClient, size: HistorySize): Promise<void> {
  await client.query(MAKE_RUNS);
  await client.query(FILL_RUNS, [size.runs, size.hoursBetweenRuns ?? 24, size.newestDaysAgo ?? 0]);
  const miners = Array.from({ length: size.miners }, (_, uid) => benchMiner(uid));
  await client.query(MAKE_MINERS);
  await client.query(FILL_MINERS, [miners.map(({ uid }) => uid), miners.map(({ hotkey }) => hotkey)]);
}

async function insertFolds(client: PoolClient, { isWithoutMinerStats = false }: HistorySize): Promise<void> {
  await client.query(INSERT_RUNS);
  await client.query(INSERT_FORECASTS);
  await client.query(INSERT_RESPONSES);
  if (!isWithoutMinerStats) await client.query(INSERT_MINER_STATS);
  await client.query(INSERT_DECISIONS);
  await client.query(INSERT_BOOKS);
}

async function insertLog(client: PoolClient, { runs, runsWithComponents }: HistorySize): Promise<void> {
  const leads = [...ERA5_LEAD_HOURS];
  for (let run = 0; run < runs; run += CHUNK_OF_RUNS)
    await client.query(INSERT_STEPS, [leads, run, run + CHUNK_OF_RUNS]);
  await client.query(INSERT_RARITIES);
  const fields = [
    SCORED_FIELDS.map(({ variable }) => variable),
    SCORED_FIELDS.map(({ levelHpa }) => levelHpa),
  ];
  for (let run = runs - runsWithComponents; run < runs; run += 1)
    await client.query(INSERT_COMPONENTS, [leads, ...fields, run, run + 1]);
}

/** Indexes of the log are built after its rows are loaded, which takes half the time. */
async function withoutLogIndexes(client: PoolClient, work: () => Promise<void>): Promise<void> {
  const { rows } = await client.query<{ name: string; definition: string }>(
    `select indexname as name, replace(indexdef, ' ON ONLY ', ' ON ') as definition from pg_indexes
     where schemaname = 'public' and tablename in ('weather_forecast_steps', 'weather_forecast_steps_finished')
       and indexdef like '% ON ONLY %'
       and not exists (select from pg_inherits where inhrelid = indexname::regclass)`,
  );
  for (const { name } of rows) await client.query(`drop index ${name}`);
  await work();
  for (const { definition } of rows) await client.query(definition);
}

/** Inserts recorded runs directly into the tables, with rows as large as real ones, and analyzes the tables. */
export async function writeHistory(pool: Pool, size: HistorySize): Promise<void> {
  const { runs, hoursBetweenRuns = 24, newestDaysAgo = 0 } = size;
  const client = await pool.connect();
  try {
    await client.query('set statement_timeout = 0; begin; set local synchronous_commit = off');
    const days = Math.ceil((runs * hoursBetweenRuns) / 24) + newestDaysAgo;
    await makePartitions(client, STEP_PARTITIONS, days);
    await makePartitions(client, COMPONENT_PARTITIONS, days);
    await client.query('insert into validators (hotkey) values ($1)', [BENCH_EMITTER.validatorHotkey]);
    await makeRunsAndMiners(client, size);
    await insertFolds(client, size);
    await withoutLogIndexes(client, () => insertLog(client, size));
    await client.query('commit');
    await client.query('vacuum analyze');
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    // The session has lost its time limit: end it.
    client.release(true);
  }
}
