import type { ObservedSpan } from '../src/facts/observed-span.ts';

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

/** Where spans go. Writing the same span twice must be harmless: a retried batch may have been written before. */
export interface SpanSink {
  /** Never called while an earlier call is under way, unless that one was given up: its signal is aborted then. */
  export(spans: readonly ObservedSpan[], options?: { readonly signal?: AbortSignal }): Promise<ExportReport>;
}
