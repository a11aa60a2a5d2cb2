import type { EmitterAccount } from '#exporters/emitter-report';
import type { ObservedSpan } from '#facts/observed-span';
import { BENCH_EMITTER } from '../miner-run.ts';

/** Spans with the account of their emitter. */
export interface NumberedBatch {
  readonly spans: readonly ObservedSpan[];
  readonly account: EmitterAccount;
}

/** Cuts spans into batches of one size, numbered as a spool numbers them; the accounts have no counts by run. */
export function numberedBatches(spans: readonly ObservedSpan[], size: number): readonly NumberedBatch[] {
  return Array.from({ length: Math.ceil(spans.length / size) }, (_, index) => {
    const batch = spans.slice(index * size, (index + 1) * size);
    const last = index * size + batch.length;
    const account = {
      ...BENCH_EMITTER,
      received: [[index * size + 1, last]] as const,
      dropped: [],
      lastSequence: spans.length,
      deliveredSequence: last,
      runs: [],
      isOwn: true,
      isClosed: false,
    };
    return { spans: batch, account };
  });
}
