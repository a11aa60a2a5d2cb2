import type { EndedSpan } from '#steps';

/**
 * Transactional outbox: the span end is stored in the step's commit and re-emitted if the process dies before export.
 *
 * A step commits before its span ends. A process that dies in between would leave a transition without a record. So the
 * encoded end is stored in `pipeline.span_ends`, and the worker that is handed the job again records it. The end is
 * deleted before the job is completed, which is safe: the span has ended by then.
 */
export interface SpanEndCodec {
  readonly encode: (span: EndedSpan) => string;
  /** Records an encoded end; idempotent. Rejects while the end is not durable, and the queue delivers the job again. */
  readonly record: (encoded: string) => Promise<void>;
}
