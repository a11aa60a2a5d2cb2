import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SpanSink } from '../../exporters/export-report.ts';
import { DEFAULT_OPTIONS } from '../../exporters/processor/processor-options.ts';
import { Spool } from '../../exporters/spool/exporter.ts';
import type { Emitter } from '../../exporters/spool/ledger.ts';

import type { ObservedSpan } from '../../src/facts/observed-span.ts';
import { BENCH_EMITTER } from '../miner-run.ts';

/** Spans whose steps end in one turn of the event loop. */
const SPANS_A_TURN = 64;
/** As in src/recording-spool.ts. */
const SEGMENT_BYTES = 4 * 1024 * 1024;
const LIMIT_BYTES = 64 * 1024 ** 3;

/** A spool as a process has it that recorded while the database was away. */
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

/** Puts spans into the spool, and has them on disk when it resolves. */
export async function fillSpool(spool: Spool, spans: readonly ObservedSpan[]): Promise<void> {
  for (let from = 0; from < spans.length; from += SPANS_A_TURN) {
    for (const span of spans.slice(from, from + SPANS_A_TURN)) {
      const pushed = spool.push(span, Date.now());
      if (pushed !== 'queued') refuse(pushed);
    }
    await Promise.resolve();
  }
}

/** How long it took to bring what was in a spool to the database, ms. */
export interface Drained {
  readonly spans: number;
  /** From batches as they came out of the spool to their commits. */
  readonly exportMillis: number;
  /** Reading and decoding the records included. */
  readonly wholeMillis: number;
}

/** Brings spans to the sink by way of a spool on disk, in batches as large as the recorder takes them. */
export async function drainThroughSpool(
  spans: readonly ObservedSpan[],
  sink: Pick<SpanSink, 'export'>,
  emitter: Emitter = BENCH_EMITTER,
): Promise<Drained> {
  const directory = await mkdtemp(join(tmpdir(), 'barograph-spool-'));
  const spool = openSpool(directory, emitter);
  try {
    await fillSpool(spool, spans);
    return await drain(spool, sink);
  } finally {
    spool.close();
    await rm(directory, { recursive: true, force: true });
  }
}

async function drain(spool: Spool, sink: Pick<SpanSink, 'export'>): Promise<Drained> {
  const startedAt = performance.now();
  let spans = 0;
  let exportMillis = 0;
  while (spool.size > 0) {
    const batch = await spool.take(DEFAULT_OPTIONS.maxBatchSize);
    const takenAt = performance.now();
    const account = batch.account?.(0, batch.spans.length);
    const report = await sink.export(batch.spans, account === undefined ? {} : { account });
    exportMillis += performance.now() - takenAt;
    if (report.kind !== 'written') throw new Error(`A batch was ${report.kind}.`, { cause: report.error });
    spool.settle();
    spans += batch.spans.length;
  }
  return { spans, exportMillis, wholeMillis: performance.now() - startedAt };
}

function refuse(reason: string): never {
  throw new Error(`The spool did not take a record: ${reason}.`);
}
