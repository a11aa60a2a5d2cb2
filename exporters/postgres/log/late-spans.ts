import type { ClientBase } from 'pg';
import type { EpochMicros, StepFact } from '#facts/step-fact';
import { rejectFacts, type Batch, type Rejection } from './batch.ts';
import { column, keyRows } from '../sql/columns.ts';
import { COMPONENT_PARTITIONS, partitionAt, STEP_PARTITIONS, type Partition } from './partitions.ts';

/** Retention keeps at least a day, so younger rows cannot be late; half a day is the allowance for clock skew. */
const YOUNGEST_DROPPED = 43_200_000_000;

const KEY = [
  column<StepFact>('hotkey', 'text', (fact) => fact.validatorHotkey),
  column<StepFact>('trace_id', 'text', (fact) => fact.traceId),
  column<StepFact>('span_id', 'text', (fact) => fact.spanId),
  column<StepFact>('started_at', 'timestamptz', (fact) => fact.startedAt),
];

const spanRowKey = (key: { readonly hotkey: string; readonly trace_id: string; readonly span_id: string }) =>
  `${key.hotkey}/${key.trace_id}/${key.span_id}`;
const keyOfFact = ({ validatorHotkey: hotkey, traceId: trace_id, spanId: span_id }: StepFact): string =>
  spanRowKey({ hotkey, trace_id, span_id });

/** Whether any row of a fact may lie in a partition that ended before then. */
const isOlder = ({ startedAt, componentScores }: StepFact, limit: EpochMicros): boolean =>
  startedAt <= limit || componentScores.some(({ validTime }) => validTime <= limit);

/** The partitions that the rows of a fact belong to. */
function partitionsOf(fact: StepFact): readonly Partition[] {
  const scores = fact.componentScores.map(({ validTime }) => partitionAt(COMPONENT_PARTITIONS, validTime));
  return [partitionAt(STEP_PARTITIONS, fact.startedAt), ...scores];
}

/**
 * Rejects the spans of dropped partitions. Their log rows, which deduplicate spans, are gone, so a redelivered span
 * would count twice. A span that still has a row, running or finished, is accepted, and its partition is created again.
 *
 * `now` is the clock by which partitions are dropped.
 */
export async function rejectLateSpans(client: ClientBase, batch: Batch, now: EpochMicros): Promise<Batch> {
  const limit = now - YOUNGEST_DROPPED;
  const candidates = new Map<StepFact, readonly Partition[]>();
  for (const fact of [...batch.ended, ...batch.started]) {
    if (!isOlder(fact, limit)) continue;
    const old = partitionsOf(fact).filter(({ to }) => to <= limit);
    if (old.length > 0) candidates.set(fact, old);
  }
  const dropped = await readDropped(client, [...candidates.values()].flat());
  if (dropped.size === 0) return batch;
  const late = [...candidates].filter(([, partitions]) => partitions.some(({ name }) => dropped.has(name)));
  const known = await readKnown(
    client,
    late.map(([fact]) => fact),
  );
  const rejections = new Map(
    late
      .filter(([fact]) => !known.has(keyOfFact(fact)))
      .map(([fact, partitions]) => [fact, rejectionFor(partitions.filter(({ name }) => dropped.has(name)))]),
  );
  return rejectFacts(batch, (fact) => rejections.get(fact) ?? null);
}

function rejectionFor(partitions: readonly Partition[]): Rejection {
  const names = [...new Set(partitions.map(({ name }) => name))].join(', ');
  const detail = `it belongs to ${names}, which retention has dropped; allowed: what is younger than BAROGRAPH_RETENTION_DAYS`;
  return { reason: 'partition_dropped', detail };
}

async function readDropped(
  client: ClientBase,
  partitions: readonly Partition[],
): Promise<ReadonlySet<string>> {
  if (partitions.length === 0) return new Set();
  const names = [...new Set(partitions.map(({ name }) => name))];
  const { rows } = await client.query<{ name: string }>(
    'select name from dropped_partitions where name = any ($1)',
    [names],
  );
  return new Set(rows.map(({ name }) => name));
}

/** Keys of the facts that have a row in the log. */
async function readKnown(client: ClientBase, facts: readonly StepFact[]): Promise<ReadonlySet<string>> {
  if (facts.length === 0) return new Set();
  const keys = keyRows(KEY, facts);
  const { rows } = await client.query<{ hotkey: string; trace_id: string; span_id: string }>(
    `select key.hotkey, key.trace_id, key.span_id
     from ${keys.text} join validators as validator on validator.hotkey = key.hotkey
     where exists (select from weather_forecast_steps_running as running
         where (running.validator_id, running.trace_id, running.span_id)
             = (validator.id, key.trace_id, key.span_id))
       or exists (select from weather_forecast_steps_finished as finished
         where (finished.validator_id, finished.trace_id, finished.span_id, finished.started_at)
             = (validator.id, key.trace_id, key.span_id, key.started_at))`,
    keys.values,
  );
  return new Set(rows.map(spanRowKey));
}
