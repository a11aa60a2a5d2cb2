import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SpanSink } from '#exporters/export-report';
import { BatchFeed } from '#processor/batch-feed';
import { DEFAULT_OPTIONS } from '#processor/processor-options';
import { Spool } from '#spool/spool';
import type { Emitter } from '#spool/books/ledger';
import type { ObservedSpan } from '#facts/observed-span';
import { BENCH_EMITTER } from '../miner-run.ts';

/** Spans whose steps end in one turn of the event loop. */
const SPANS_A_TURN = 64;
/** As in src/recorder/process-spool.ts. */
const SEGMENT_BYTES = 4 * 1024 * 1024;
const LIMIT_BYTES = 64 * 1024 ** 3;

/** A spool as left by a process that recorded during a database outage. */
export function openSpool(directory: string, emitter: Emitter = BENCH_EMITTER): Spool {
  return new Spool({
    directory,
    emitter,
    segmentBytes: SEGMENT_BYTES,
    limitBytes: LIMIT_BYTES,
    durability: 'system',
    listener: { dropped: (reason) => refuse(reason), added: () => undefined },
  });
}

/** Writes spans to the spool; resolves when they are on disk. */
export async function fillSpool(spool: Spool, spans: readonly ObservedSpan[]): Promise<void> {
  for (let from = 0; from < spans.length; from += SPANS_A_TURN) {
    for (const span of spans.slice(from, from + SPANS_A_TURN)) {
      const pushed = spool.push(span, Date.now());
      if (pushed !== 'queued') refuse(pushed);
    }
    await Promise.resolve();
  }
}

/**
 * Delivers spans to the database through a spool on disk, batch by batch as the recorder does.
 *
 * @returns spans a second, from the first read of the spool to the last commit
 */
export async function drainThroughSpool(
  spans: readonly ObservedSpan[],
  sink: SpanSink,
  emitter: Emitter = BENCH_EMITTER,
): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'barograph-spool-'));
  const spool = openSpool(directory, emitter);
  try {
    await fillSpool(spool, spans);
    const startedAt = performance.now();
    await drain(spool, sink);
    return (spans.length * 1000) / (performance.now() - startedAt);
  } finally {
    spool.close();
    await rm(directory, { recursive: true, force: true });
  }
}

async function drain(spool: Spool, sink: SpanSink): Promise<void> {
  const feed = new BatchFeed(spool, sink, DEFAULT_OPTIONS.maxBatchSize);
  while (spool.size > 0 || feed.isAhead) {
    const batch = await feed.next();
    const account = batch.account?.(0, batch.spans.length);
    const report = await sink.export(batch.spans, account === undefined ? {} : { account });
    if (report.kind !== 'written') throw new Error(`A batch was ${report.kind}.`, { cause: report.error });
    feed.settle();
  }
}

function refuse(reason: string): never {
  throw new Error(`The spool did not take a record: ${reason}.`);
}
