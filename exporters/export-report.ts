import type { ObservedSpan } from '#facts/observed-span';
import type { EmitterAccount } from './emitter-report.ts';

export type { EmitterAccount };

/**
 * Outcome of an export.
 *
 * * `written`: the whole batch is committed.
 * * `retryable`: nothing is known to be written, and the same batch may succeed later (the database is down).
 * * `rejected`: permanent; the same batch will fail again.
 */
export type ExportReport =
  | { readonly kind: 'written' }
  | { readonly kind: 'retryable'; readonly error: unknown }
  | { readonly kind: 'rejected'; readonly error: unknown };

/** What accompanies a batch. */
export interface ExportOptions {
  /** Aborted when the caller abandons the call. */
  readonly signal?: AbortSignal;
  /** Committed in the transaction of the batch; a sink without books ignores it. */
  readonly account?: EmitterAccount;
}

/** Destination of spans. Writes must be idempotent: a retried batch may have been written before. */
export interface SpanSink {
  /** Never called while an earlier call is in flight, unless that one was abandoned: its signal is aborted then. */
  export(spans: readonly ObservedSpan[], options?: ExportOptions): Promise<ExportReport>;
  /** Prefetch hook: prepares the next batch without side effects; `export` is then called with the same array. */
  prepare?(spans: readonly ObservedSpan[]): void;
  /** Stores a span that is rejected even alone as a dead letter, with the error; a sink without it loses such a span. */
  writeDeadLetter?(span: ObservedSpan, error: unknown, options?: ExportOptions): Promise<ExportReport>;
}
