import type { ClientBase } from 'pg';
import type { ObservedSpan } from '#facts/observed-span';
import type { EpochMicros } from '#facts/step-fact';
import type { EmitterAccount } from '../emitter-report.ts';
import { setAside, toBatch, type Batch } from './batch.ts';
import { judgeClock } from './clock-range.ts';
import { setLateAside } from './late-spans.ts';
import type { Partitions } from './partitions.ts';
import { writeBatch, type Committed } from './write-batch.ts';

/** What recording needs besides the spans. */
export interface RecordSpansOptions {
  readonly partitions: Partitions;
  /** The clock that wild clocks are told by. */
  readonly now: EpochMicros;
  /** What the emitter of the spans says with them. */
  readonly account?: EmitterAccount | undefined;
}

/** Records spans; the caller opens and commits the transaction. What cannot be recorded becomes a dead letter. */
export async function recordSpans(
  client: ClientBase,
  spans: readonly ObservedSpan[],
  options: RecordSpansOptions,
): Promise<Committed> {
  return recordBatch(client, await toBatch(spans), options);
}

/** The same for spans that were translated before. */
export async function recordBatch(
  client: ClientBase,
  translated: Batch,
  { partitions, now, account }: RecordSpansOptions,
): Promise<Committed> {
  const sane = setAside(translated, (fact) => judgeClock(fact, now));
  const batch = await setLateAside(client, sane, now);
  return writeBatch(client, batch, partitions, account);
}
