import type { EndedSpan } from '#steps';

/**
 * Codec of the transactional outbox of span ends. A step commits before its span ends; a process that dies in between
 * would leave work without a record. So the span's end is stored with the job in the step's commit, and replayed by the
 * worker to which the job is delivered again. A job that is completed deletes it: then the span had ended.
 */
export interface SpanEndCodec {
  readonly encode: (span: EndedSpan) => string;
  /** Records an encoded end; idempotent. Rejects when it is not durable: the queue then delivers the job again. */
  readonly record: (encoded: string) => Promise<void>;
}
