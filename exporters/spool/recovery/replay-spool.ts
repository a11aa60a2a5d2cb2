import { setTimeout as sleep } from 'node:timers/promises';
import type { EmitterAccount } from '#exporters/emitter-report';
import type { SpanSink } from '#exporters/export-report';
import type { ObservedSpan } from '#facts/observed-span';
import { systemScheduler } from '#lifecycle/scheduler';
import { deliverBatch, type DeliveryContext } from '#processor/deliver-batch';
import { DEFAULT_OPTIONS } from '#processor/processor-options';
import type { SpanBatch } from '#processor/span-queue';
import type { Emitter } from '../books/ledger.ts';
import { toRanges } from '../books/sequence-ranges.ts';
import { SpanDecoder } from '../format/span-decoder.ts';
import { toSpan } from '../format/spool-record.ts';
import { START } from '../segments/cursor.ts';
import { RecordReader } from '../segments/record-reader.ts';
import { readKnownBooks, readSpool } from './inspect-spools.ts';
import { emitterOf } from './recovered-state.ts';

/** What was read of a spool and delivered again. */
export interface ReplayedSpool {
  readonly delivered: number;
  /** Spans that the database took in no form. */
  readonly rejected: number;
  /** Records that cannot be decoded. */
  readonly undecodable: number;
  /** Segments of which something cannot be read, with the reason. */
  readonly unreadable: Readonly<Record<number, string>>;
}

const READ_AT_ONCE = { maxRecords: 500, maxBytes: 4 * 1024 * 1024 };
const MAX_RETRIES = 3;

interface Read {
  readonly span: ObservedSpan;
  readonly sequence: number;
}

/**
 * Delivers every record that can be read, delivered before or not, and changes nothing in the folder. Harmless when repeated.
 * It closes no steps: whether their ends are among the missing records is not known here.
 *
 * @throws Error when nothing says whose records they are, or the database does not answer
 */
export async function replaySpool(directory: string, sink: SpanSink): Promise<ReplayedSpool> {
  const { lastSequence, tail, cutOff, owner } = await readSpool(directory);
  const reader = new RecordReader(directory, { from: START, isClosed: true });
  const decoder = new SpanDecoder();
  let emitter = readKnownBooks(directory)?.emitter ?? null;
  const sums = { delivered: 0, rejected: 0, undecodable: 0 };
  for (;;) {
    const records = reader.next(READ_AT_ONCE);
    if (reader.isHeldUp) throw new Error(`${directory} cannot be read now; try again.`);
    if (records.length === 0) break;
    const own = records.filter(({ frame }) => frame.kind !== 'carried');
    const read = own.flatMap(({ frame }): Read[] => {
      const span = toSpan(frame, decoder);
      return span === null ? [] : [{ span, sequence: frame.sequence }];
    });
    sums.undecodable += own.length - read.length;
    emitter ??= emitterOf(read[0]?.span ?? null);
    if (read.length === 0) continue;
    const settled = await deliver(batchOf(read, knownEmitter(emitter, directory), lastSequence), sink);
    sums.delivered += settled.kept;
    sums.rejected += settled.rejected;
  }
  const isWhole =
    reader.damage.unreadable.size === 0 &&
    sums.undecodable === 0 &&
    cutOff === null &&
    tail?.isOpenEnd === false;
  await commitAccount(knownEmitter(emitter, directory), {
    lastSequence,
    isClosed: isWhole && owner === 'set_aside',
    sink,
  });
  return { ...sums, unreadable: Object.fromEntries(reader.damage.unreadable) };
}

/**
 * Commits what is known of the numbers of a spool that is about to be dropped, so that they stay missing in the books.
 *
 * @returns false when nothing says whose they are
 */
export async function commitLoss(directory: string, sink: SpanSink): Promise<boolean> {
  const { lastSequence } = await readSpool(directory);
  const emitter = readKnownBooks(directory)?.emitter ?? firstEmitter(directory);
  if (emitter === null) return false;
  await commitAccount(emitter, { lastSequence, isClosed: false, sink });
  return true;
}

function firstEmitter(directory: string): Emitter | null {
  const reader = new RecordReader(directory, { from: START, isClosed: true });
  for (let read = reader.next(READ_AT_ONCE); read.length > 0; read = reader.next(READ_AT_ONCE)) {
    for (const { frame } of read) {
      const emitter = emitterOf(toSpan(frame));
      if (emitter !== null) return emitter;
    }
  }
  return null;
}

function knownEmitter(emitter: Emitter | null, directory: string): Emitter {
  if (emitter !== null) return emitter;
  throw new Error(
    `Neither books nor a record of ${directory} say which process made it, so nothing can be delivered. ` +
      'A version of Barograph that knows its format may read it.',
  );
}

const accountOf = (emitter: Emitter, lastSequence: number): EmitterAccount => ({
  ...emitter,
  ...{
    received: [],
    dropped: [],
    lastSequence,
    deliveredSequence: 0,
    runs: [],
    isOwn: false,
    isClosed: false,
  },
});

const batchOf = (read: readonly Read[], emitter: Emitter, lastSequence: number): SpanBatch => ({
  spans: read.map(({ span }) => span),
  queuedAt: 0,
  account: (from, to) => ({
    ...accountOf(emitter, lastSequence),
    received: toRanges(read.slice(from, to).map(({ sequence }) => sequence)),
  }),
});

async function commitAccount(
  emitter: Emitter,
  {
    lastSequence,
    isClosed,
    sink,
  }: { readonly lastSequence: number; readonly isClosed: boolean; readonly sink: SpanSink },
): Promise<void> {
  const account = { ...accountOf(emitter, lastSequence), deliveredSequence: lastSequence, isClosed };
  await deliver({ spans: [], queuedAt: 0, account: () => account }, sink);
}

/** @throws Error when the database does not answer after some retries */
async function deliver(batch: SpanBatch, sink: SpanSink) {
  let retries = 0;
  const delivery: DeliveryContext = {
    sink,
    scheduler: systemScheduler,
    random: Math.random,
    backoff: DEFAULT_OPTIONS.backoff,
    exportTimeoutMillis: null,
    signal: new AbortController().signal,
    isStopped: () => retries > MAX_RETRIES,
    onRetry: () => void (retries += 1),
    pause: (millis) => sleep(millis),
  };
  const delivered = await deliverBatch(batch, delivery);
  if (delivered.kind === 'settled') return delivered;
  throw new Error('The database did not take the records. Nothing was changed in the folder; try again.');
}
