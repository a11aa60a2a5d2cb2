import type { ObservedSpan } from '#facts/observed-span';
import type { EmitterAccount } from './emitter-report.ts';

/**
 * What became of a batch of spans.
 *
 * * `written`: all of it is where it belongs, for good.
 * * `retryable`: nothing is known to be written, and the same batch may succeed later (the database is down).
 * * `rejected`: the same batch will never be taken.
 */
export type ExportReport =
  | { readonly kind: 'written' }
  | { readonly kind: 'retryable'; readonly error: unknown }
  | { readonly kind: 'rejected'; readonly error: unknown };

/** Options of one export. */
export interface ExportOptions {
  /** Aborted when the call is given up. */
  readonly signal?: AbortSignal;
  /** Committed with the batch; a sink that keeps no books ignores it. */
  readonly account?: EmitterAccount;
}

/** Where spans go. Writing the same span twice must be harmless: a retried batch may have been written before. */
export interface SpanSink {
  /** Never called while an earlier call is under way, unless that one was given up: its signal is aborted then. */
  export(spans: readonly ObservedSpan[], options?: ExportOptions): Promise<ExportReport>;
  /** Told which spans come next, so that it can make them ready; `export` is then called with the same array. Changes nothing. */
  prepare?(spans: readonly ObservedSpan[]): void;
  /** Keeps a span aside that is rejected even alone, with what it was rejected for; without it such a span is lost. */
  writeDeadLetter?(span: ObservedSpan, error: unknown, options?: ExportOptions): Promise<ExportReport>;
}
