import { toObservedSpan, type SdkSpan } from '#processor/observed-span';
import { decodeSpan, encodeSpan } from '#facts/observed-span-json';
import type { Recording } from './recording.ts';

/** The codec by which the span-end outbox of the pipeline stores ends and replays them into the recording. */
export interface DeferredSpanEnds {
  readonly encode: (span: SdkSpan) => string;
  /**
   * Idempotent. Resolves when the end is committed, or rejected for good as a dead letter.
   *
   * @throws the retryable error of the database; the job must then be handed out again
   */
  readonly record: (encoded: string) => Promise<void>;
}

/** Base64, because PostgreSQL refuses NUL characters in text, and the replies of miners may hold them. */
const ENCODING = 'base64';

/** Replays ends of the outbox past the spool: the span itself belonged to a process that died before export. */
export const deferredSpanEnds = ({ write }: Pick<Recording, 'write'>): DeferredSpanEnds => ({
  encode: (span) => Buffer.from(encodeSpan(toObservedSpan(span, 'ended'))).toString(ENCODING),
  record: async (encoded) => {
    const report = await write([decodeSpan(Buffer.from(encoded, ENCODING).toString())]);
    if (report.kind === 'retryable') throw report.error;
  },
});
