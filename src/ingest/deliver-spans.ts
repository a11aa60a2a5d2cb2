import type { ObservedSpan } from '#facts/observed-span';
import { translate } from '#facts/translate';
import { scrubText } from '#semconv';
import { busy } from './http-error.ts';
import { partitionByValidIds } from './validate-ids.ts';

/** What became of spans: written for good; to be tried again, nothing being known of them; or never to be taken. */
export type SinkReport =
  { readonly kind: 'written' } | { readonly kind: 'retryable' | 'rejected'; readonly error: unknown };

/** Where spans go. The report comes when they are safe, not before. Writing a span twice is harmless. */
export type TakeBatch = (spans: readonly ObservedSpan[]) => Promise<SinkReport>;

/** The result of an export, for its sender. */
export interface Taken {
  readonly rejectedSpans: number;
  /** Why, in words for people; empty when none was rejected. */
  readonly errorMessage: string;
}

/** Spans written at once: a transaction that is neither small nor long. */
const BATCH_SIZE = 2000;
const LISTED_FAULTS = 5;
const RETRY_AFTER_SECONDS = 5;

/**
 * Hands spans to the sink, batch after batch, and resolves when all that can be written are.
 *
 * Spans that break the vocabulary count as rejected; the sink keeps them aside. Spans of other programs, which name no
 * step, are fine and no concern of ours.
 *
 * @param onProblem called with the reason when the sink did not write spans
 * @throws Refusal 503 when the sink cannot take them now; the sender then sends all of them again
 */
export async function takeSpans(
  spans: readonly ObservedSpan[],
  deliver: TakeBatch,
  onProblem: (error: unknown) => void,
): Promise<Taken> {
  const { usable, unusable } = partitionByValidIds(spans);
  const faults = [...unusable];
  for (let start = 0; start < usable.length; start += BATCH_SIZE) {
    const batch = usable.slice(start, start + BATCH_SIZE);
    const report = await reportOf(batch, deliver);
    if (report.kind !== 'written') onProblem(report.error);
    if (report.kind === 'retryable') {
      throw busy('The spans could not be written and may be sent again.', RETRY_AFTER_SECONDS, {
        cause: report.error,
      });
    }
    faults.push(...(report.kind === 'written' ? faultsOf(batch) : batch.map(refusedByDatabase)));
  }
  return { rejectedSpans: faults.length, errorMessage: describeFaults(faults) };
}

/** A sink that throws is one that may be asked again. */
async function reportOf(batch: readonly ObservedSpan[], deliver: TakeBatch): Promise<SinkReport> {
  try {
    return await deliver(batch);
  } catch (error) {
    return { kind: 'retryable', error };
  }
}

/** What the sink found as well when it translated the same spans. */
const faultsOf = (batch: readonly ObservedSpan[]): string[] =>
  batch.flatMap((span) => {
    const translation = translate(span);
    return translation.kind === 'rejected' ? [`span ${span.spanId}: ${translation.detail}`] : [];
  });

const refusedByDatabase = ({ spanId }: ObservedSpan): string =>
  `span ${spanId}: the database refuses the rows of its batch`;

/** The first faults in words, without secrets, and how many there are besides. */
function describeFaults(faults: readonly string[]): string {
  const listed = faults.slice(0, LISTED_FAULTS).map(scrubText);
  const omitted = faults.length - listed.length;
  return [...listed, ...(omitted > 0 ? [`and ${omitted} more`] : [])].join('; ');
}
