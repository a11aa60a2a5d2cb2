import { toObservedSpan, type SdkSpan } from '#processor/observed-span';
import { decodeSpan, encodeSpan } from '#facts/observed-span-json';
import type { Recording } from './recording.ts';

/** Encodes the ends of spans as text, and records encoded ones. */
export interface RecordedEnds {
  readonly encode: (span: SdkSpan) => string;
  /**
   * Resolves when it is safe, or known never to be taken; the same end once more changes nothing.
   *
   * @throws what kept it from being written now
   */
  readonly record: (encoded: string) => Promise<void>;
}

/** Base64, because a database takes no NUL character in a text, and what miners say may hold one. */
const ENCODING = 'base64';

/** The ends of spans that come to a recording past the spans themselves. */
export const recordedEnds = ({ write }: Pick<Recording, 'write'>): RecordedEnds => ({
  encode: (span) => Buffer.from(encodeSpan(toObservedSpan(span, 'ended'))).toString(ENCODING),
  record: async (encoded) => {
    const report = await write([decodeSpan(Buffer.from(encoded, ENCODING).toString())]);
    if (report.kind === 'retryable') throw report.error;
  },
});
