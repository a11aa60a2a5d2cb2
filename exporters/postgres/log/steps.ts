import type { ClientBase } from 'pg';
import type { StepFact } from '#facts/step-fact';
import type { CellType } from '../sql/binary/cells.ts';
import { copyNewRows, COPY_MIN_ROWS } from '../sql/binary/copy.ts';
import { column, insertRows, keyRows, type Column } from '../sql/columns.ts';
import type { KnownRows } from './known-rows.ts';
import type { RecordedFact } from './recorded-fact.ts';
import { json } from '../sql/sql-values.ts';

/** Deterministic row id: the span id as a signed 64-bit number, the same from every writer. */
const rowId = (spanId: string): bigint => BigInt.asIntN(64, BigInt(`0x${spanId}`));

/** The members of a fact that have no column. With the columns they restore the fact, see `readFacts`. */
const foldedFacts = (fact: StepFact): unknown => ({
  state: fact.state,
  scoreSums: fact.scoreSums,
  decisions: fact.decisions,
  adjustments: fact.adjustments,
  truncated: fact.truncated,
  latencyNanos: fact.latencyNanos,
  // JSON omits undefined members, so real ends take no space for it.
  closing: fact.closing ?? undefined,
});

const at = (name: string, type: CellType, value: (fact: StepFact) => unknown): Column<RecordedFact> =>
  column(name, type, ({ fact }) => value(fact));

const COLUMNS: readonly Column<RecordedFact>[] = [
  column('validator_id', 'int', ({ validatorId }) => validatorId),
  at('trace_id', 'text', (fact) => fact.traceId),
  at('span_id', 'text', (fact) => fact.spanId),
  at('parent_span_id', 'text', (fact) => fact.parentSpanId),
  at('trace_sampled', 'boolean', (fact) => fact.traceSampled),
  at('span_name', 'text', (fact) => fact.spanName),
  at('instance_id', 'text', (fact) => fact.instanceId),
  at('id', 'bigint', (fact) => rowId(fact.spanId)),
  at('run_id', 'bigint', (fact) => fact.runId),
  at('miner_uid', 'int', (fact) => fact.minerUid),
  at('miner_hotkey', 'text', (fact) => fact.minerHotkey),
  at('step_name', 'text', (fact) => fact.stepName),
  at('substep', 'text', (fact) => fact.substep),
  at('lead_hours', 'int', (fact) => fact.leadHours),
  at('attempt', 'int', (fact) => fact.attempt),
  at('max_attempts', 'int', (fact) => fact.maxAttempts),
  at('status', 'text', (fact) => fact.status),
  at('started_at', 'timestamptz', (fact) => fact.startedAt),
  at('completed_at', 'timestamptz', (fact) => fact.completedAt),
  at('latency_ms', 'float8', (fact) => (fact.latencyNanos === null ? null : fact.latencyNanos / 1e6)),
  at('retry_count', 'int', (fact) => fact.attempt - 1),
  at('retries_remaining', 'int', (fact) => fact.retriesRemaining),
  at('next_retry_time', 'timestamptz', (fact) => fact.nextRetryTime),
  at('error_type', 'text', (fact) => fact.error?.type ?? null),
  at('error_json', 'jsonb', (fact) => json(fact.error)),
  at('context', 'jsonb', (fact) => json(fact.context)),
  at('job_id', 'bigint', (fact) => fact.queueJobId),
  at('facts', 'jsonb', (fact) => json(foldedFacts(fact))),
];

const FINISHED = 'weather_forecast_steps_finished';

const KEY: readonly Column<RecordedFact>[] = COLUMNS.slice(0, 3);

interface SpanKey {
  readonly validator_id: number;
  readonly trace_id: string;
  readonly span_id: string;
}

function select(facts: readonly RecordedFact[], keys: readonly SpanKey[]): readonly RecordedFact[] {
  if (keys.length === 0) return [];
  const found = new Set(keys.map((key) => `${key.validator_id}/${key.trace_id}/${key.span_id}`));
  return facts.filter(({ validatorId, fact }) => found.has(`${validatorId}/${fact.traceId}/${fact.spanId}`));
}

/** Idempotent append of ended spans to the log; returns those that are new. */
export async function appendFinished(
  client: ClientBase,
  facts: readonly RecordedFact[],
): Promise<readonly RecordedFact[]> {
  if (facts.length === 0) return [];
  if (facts.length >= COPY_MIN_ROWS && (await copyNewRows(client, FINISHED, COLUMNS, facts))) return facts;
  const insert = await insertRows(FINISHED, COLUMNS, facts, 'do nothing');
  const { rows } = await client.query<SpanKey>(
    `${insert.text} returning validator_id, trace_id, span_id`,
    insert.values,
  );
  return select(facts, rows);
}

/**
 * Deletes the running rows of ended spans; returns the facts that had one.
 *
 * @param known the facts that have one
 */
export async function removeRunning(
  client: ClientBase,
  facts: readonly RecordedFact[],
  known: KnownRows['running'],
): Promise<readonly RecordedFact[]> {
  const ended = facts.filter((fact) => known.has(fact));
  if (ended.length === 0) return [];
  const keys = keyRows(KEY, ended);
  await client.query(
    `delete from weather_forecast_steps_running as running using ${keys.text}
     where (running.validator_id, running.trace_id, running.span_id) = (key.validator_id, key.trace_id, key.span_id)`,
    keys.values,
  );
  return ended;
}

/** Inserts running spans, except those that have ended already; returns those that are new. */
export async function insertRunning(
  client: ClientBase,
  facts: readonly RecordedFact[],
  ended: KnownRows['ended'],
): Promise<readonly RecordedFact[]> {
  const running = facts.filter((fact) => !ended.has(fact));
  if (running.length === 0) return [];
  const insert = await insertRows('weather_forecast_steps_running', COLUMNS, running, 'do nothing');
  const { rows } = await client.query<SpanKey>(
    `${insert.text} returning validator_id, trace_id, span_id`,
    insert.values,
  );
  return select(running, rows);
}
