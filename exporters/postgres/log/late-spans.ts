import type { ClientBase } from 'pg';
import type { EpochMicros, StepFact } from '#facts/step-fact';
import { rejectFacts, type Batch, type Rejection } from './batch.ts';
import { column, keyRows } from '../sql/columns.ts';
import { partitionAt, STEP_PARTITIONS } from './partitions.ts';

/** Retention keeps at least a day, so younger rows cannot be late; half a day is the allowance for clock skew. */
const YOUNGEST_DROPPED = 43_200_000_000;

const KEY = [
  column<StepFact>('hotkey', 'text', (fact) => fact.validatorHotkey),
  column<StepFact>('run_id', 'bigint', (fact) => fact.runId),
  column<StepFact>('trace_id', 'text', (fact) => fact.traceId),
  column<StepFact>('span_id', 'text', (fact) => fact.spanId),
  column<StepFact>('started_at', 'timestamptz', (fact) => fact.startedAt),
];

const spanRowKey = (key: { readonly hotkey: string; readonly trace_id: string; readonly span_id: string }) =>
  `${key.hotkey}/${key.trace_id}/${key.span_id}`;
const keyOfFact = ({ validatorHotkey: hotkey, traceId: trace_id, spanId: span_id }: StepFact): string =>
  spanRowKey({ hotkey, trace_id, span_id });

/** Dropped partitions by name, with the time of the last drop as text. */
type DroppedPartitions = ReadonlyMap<string, string>;

/** A batch without its late spans. */
export interface CheckedBatch {
  readonly batch: Batch;
  /**
   * Optimistic check, for the end of the transaction: the rows that were written keep their partitions from being
   * dropped, so that a drop since the first check is visible now.
   *
   * @throws Error when there was one; the batch has to be checked and written again
   */
  readonly recheck: () => Promise<void>;
}

/**
 * Rejects the late spans: those of dropped partitions whose log rows, which deduplicate spans, may be gone, so that a
 * redelivered span would count twice. That is so only where the log of the run has lost rows, and the span has none,
 * running or finished. Every other span of a dropped partition is accepted, and its partition is created again; so no
 * span of a run that has not ended is late, since retention keeps the rows of such a run.
 *
 * Component scores decide nothing: they count nowhere, and their step deduplicates them.
 *
 * `now` is the clock by which partitions are dropped.
 */
export async function rejectLateSpans(
  client: ClientBase,
  batch: Batch,
  now: EpochMicros,
): Promise<CheckedBatch> {
  const limit = now - YOUNGEST_DROPPED;
  const old = [...batch.ended, ...batch.started].filter(
    ({ startedAt }) => startedAt < limit && partitionAt(STEP_PARTITIONS, startedAt).to <= limit,
  );
  const names = [...new Set(old.map(partitionName))];
  const dropped = await readDropped(client, names);
  const recheck = async (): Promise<void> => {
    const current = await readDropped(client, names);
    if (names.every((name) => current.get(name) === dropped.get(name))) return;
    throw new Error('Retention dropped a partition of the batch while it was written; write it again.');
  };
  const late = await readUndecidable(
    client,
    old.filter((fact) => dropped.has(partitionName(fact))),
  );
  const rejected = rejectFacts(batch, (fact) => (late.has(keyOfFact(fact)) ? rejectionFor(fact) : null));
  return { batch: rejected, recheck };
}

const partitionName = ({ startedAt }: StepFact): string => partitionAt(STEP_PARTITIONS, startedAt).name;

const rejectionFor = (fact: StepFact): Rejection => ({
  reason: 'partition_dropped',
  detail:
    `it belongs to ${partitionName(fact)}, which retention has dropped, and its run has lost steps; ` +
    'allowed: what is younger than BAROGRAPH_RETENTION_DAYS',
});

async function readDropped(client: ClientBase, names: readonly string[]): Promise<DroppedPartitions> {
  if (names.length === 0) return new Map();
  const { rows } = await client.query<{ name: string; at: string }>(
    'select name, dropped_at::text as at from dropped_partitions where name = any ($1)',
    [names],
  );
  return new Map(rows.map(({ name, at }) => [name, at]));
}

/** Keys of the facts without a row in the log whose run has lost rows of it: they may have been counted, or not. */
async function readUndecidable(client: ClientBase, facts: readonly StepFact[]): Promise<ReadonlySet<string>> {
  if (facts.length === 0) return new Set();
  const keys = keyRows(KEY, facts);
  const { rows } = await client.query<{ hotkey: string; trace_id: string; span_id: string }>(
    `select key.hotkey, key.trace_id, key.span_id
     from ${keys.text} join validators as validator on validator.hotkey = key.hotkey
     join archived_runs as archived on (archived.validator_id, archived.run_id) = (validator.id, key.run_id)
     where not exists (select from weather_forecast_steps_running as running
         where (running.validator_id, running.trace_id, running.span_id)
             = (validator.id, key.trace_id, key.span_id))
       and not exists (select from weather_forecast_steps_finished as finished
         where (finished.validator_id, finished.trace_id, finished.span_id, finished.started_at)
             = (validator.id, key.trace_id, key.span_id, key.started_at))`,
    keys.values,
  );
  return new Set(rows.map(spanRowKey));
}
