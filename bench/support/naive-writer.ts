import pg from 'pg';
import type { ObservedSpan } from '#facts/observed-span';
import { emptyTables, requireRows } from './recorded-tables.ts';
import type { BenchDatabase } from './server.ts';

/**
 * The naive writer: recording by hand, as pipelines without a recorder do. Each event is an INSERT of the step and an
 * upsert of the forecast and of the miner; each statement is its own transaction, prepared, over one connection of pg.
 *
 * The steps have the columns that a developer would fill by hand and three indexes, like our log; no partitions, no foreign
 * key and no guard against counting an event twice, all of which favours the naive writer.
 */
const TABLES = `
create schema naive_writer;
create table naive_writer.steps (
  id bigint generated always as identity primary key,
  trace_id text not null,
  span_id text not null,
  run_id bigint not null,
  miner_uid integer not null,
  miner_hotkey text not null,
  step_name text not null,
  substep text not null,
  lead_hours integer,
  attempt integer not null,
  status text not null,
  started_at timestamptz not null,
  completed_at timestamptz not null,
  latency_ms double precision not null,
  retry_count integer not null,
  retries_remaining integer not null,
  error_type text,
  error_json jsonb,
  context jsonb
);
create unique index on naive_writer.steps (trace_id, span_id);
create index on naive_writer.steps (run_id, miner_hotkey);
create table naive_writer.forecast_stats (
  miner_uid integer not null,
  miner_hotkey text not null,
  run_id bigint not null,
  current_forecast_stage text,
  current_forecast_status text,
  last_error_message text,
  retries_remaining integer,
  forecast_score_initial double precision,
  era5_score double precision,
  updated_at timestamptz not null,
  primary key (run_id, miner_hotkey)
);
create table naive_writer.miner_stats (
  miner_uid integer not null,
  miner_hotkey text primary key,
  hosting_successes bigint not null,
  hosting_failures bigint not null,
  failures bigint not null,
  latency_ms double precision not null,
  last_active timestamptz not null
)`;

const INSERT_STEP = {
  name: 'step',
  text: `insert into naive_writer.steps (trace_id, span_id, run_id, miner_uid, miner_hotkey, step_name, substep, lead_hours,
    attempt, status, started_at, completed_at, latency_ms, retry_count, retries_remaining, error_type, error_json, context)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
};
const UPSERT_FORECAST = {
  name: 'forecast',
  text: `insert into naive_writer.forecast_stats (miner_uid, miner_hotkey, run_id, current_forecast_stage,
    current_forecast_status, last_error_message, retries_remaining, forecast_score_initial, era5_score, updated_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
  on conflict (run_id, miner_hotkey) do update set
    current_forecast_stage = coalesce(excluded.current_forecast_stage, forecast_stats.current_forecast_stage),
    current_forecast_status = excluded.current_forecast_status,
    last_error_message = excluded.last_error_message,
    retries_remaining = excluded.retries_remaining,
    forecast_score_initial = coalesce(excluded.forecast_score_initial, forecast_stats.forecast_score_initial),
    era5_score = coalesce(excluded.era5_score, forecast_stats.era5_score),
    updated_at = excluded.updated_at`,
};
const UPSERT_MINER = {
  name: 'miner',
  text: `insert into naive_writer.miner_stats (miner_uid, miner_hotkey, hosting_successes, hosting_failures, failures,
    latency_ms, last_active)
  values ($1, $2, $3, $4, $5, $6, $7)
  on conflict (miner_hotkey) do update set
    hosting_successes = miner_stats.hosting_successes + excluded.hosting_successes,
    hosting_failures = miner_stats.hosting_failures + excluded.hosting_failures,
    failures = miner_stats.failures + excluded.failures,
    latency_ms = miner_stats.latency_ms + excluded.latency_ms,
    last_active = excluded.last_active`,
};

/** The tables of the naive writer, and a connection that writes them. */
export interface NaiveWriter {
  /** Writes events one by one into empty tables. @returns events a second */
  measure(spans: readonly ObservedSpan[]): Promise<number>;
  close(): Promise<void>;
}

export async function openNaiveWriter({ connectionString, pool }: BenchDatabase): Promise<NaiveWriter> {
  await pool.query(TABLES);
  const client = new pg.Client({ connectionString });
  await client.connect();
  return {
    measure: async (spans) => {
      await emptyTables(pool, [
        'naive_writer.steps',
        'naive_writer.forecast_stats',
        'naive_writer.miner_stats',
      ]);
      const startedAt = performance.now();
      for (const span of spans) await record(client, toEvent(span));
      const millis = performance.now() - startedAt;
      await requireRows(pool, 'naive_writer.steps', spans.length);
      return (spans.length / millis) * 1000;
    },
    close: () => client.end(),
  };
}

type Event = ReturnType<typeof toEvent>;

async function record(client: pg.Client, event: Event): Promise<void> {
  await client.query({ ...INSERT_STEP, values: stepValues(event) });
  await client.query({ ...UPSERT_FORECAST, values: forecastValues(event) });
  await client.query({ ...UPSERT_MINER, values: minerValues(event) });
}

/** The values that a pipeline has when a step ends. */
function toEvent({ attributes, traceId, spanId, statusMessage, ...span }: ObservedSpan) {
  const of = (name: string): unknown => attributes[`weather.${name}`] ?? null;
  const endNano = span.endTimeUnixNano ?? span.startTimeUnixNano;
  const errorType = attributes['error.type'] ?? null;
  return {
    ids: [traceId, spanId],
    of,
    miner: [of('miner.uid'), of('miner.hotkey')],
    startedAt: new Date(Number(span.startTimeUnixNano / 1_000_000n)),
    completedAt: new Date(Number(endNano / 1_000_000n)),
    latencyMillis: Number(endNano - span.startTimeUnixNano) / 1e6,
    retries: Number(of('step.attempt')) - 1,
    retriesLeft: Math.max(0, Number(of('step.max_attempts')) - Number(of('step.attempt'))),
    error: errorType === null ? null : { type: errorType, message: statusMessage },
  };
}

function stepValues({ of, ...event }: Event): unknown[] {
  const step = ['step.name', 'step.substep', 'lead_hours', 'step.attempt', 'step.status'].map(of);
  const times = [event.startedAt, event.completedAt, event.latencyMillis];
  const error = [event.error?.type ?? null, event.error === null ? null : JSON.stringify(event.error)];
  const retries = [event.retries, event.retriesLeft];
  return [...event.ids, of('run.id'), ...event.miner, ...step, ...times, ...retries, ...error, null];
}

function forecastValues({ of, miner, error, retriesLeft, completedAt }: Event): unknown[] {
  const scores = [of('score.initial'), of('score.era5')];
  const stage = [of('stage'), of('step.status')];
  return [...miner, of('run.id'), ...stage, error?.message ?? null, retriesLeft, ...scores, completedAt];
}

function minerValues({ of, miner, error, latencyMillis, completedAt }: Event): unknown[] {
  const transport = of('response.transport');
  const hosting = [transport === 'success' ? 1 : 0, transport === 'failure' ? 1 : 0];
  return [...miner, ...hosting, error === null ? 0 : 1, latencyMillis, completedAt];
}
