import type { ObservedSpan } from '#facts/observed-span';
import { translate } from '#facts/translate';
import { scrubText } from '#semconv';
import { printableText } from '#semconv/printable-text';
import { hideSecrets } from '#semconv/secret-values';
import { busy } from './http-error.ts';
import { partitionByValidIds } from './validate-ids.ts';

/** Result of a delivery: `written` durably; `retryable`, with nothing known to be written; or `rejected` for good. */
export type SinkReport =
  { readonly kind: 'written' } | { readonly kind: 'retryable' | 'rejected'; readonly error: unknown };

/** Writes spans to the sink; resolves when they are durable, not before. Must be idempotent: senders retry. */
export type DeliverBatch = (spans: readonly ObservedSpan[]) => Promise<SinkReport>;

/** The result of an export, for its sender. */
export interface DeliveryResult {
  readonly rejectedSpans: number;
  /** The reasons, for people; empty when no span was rejected. */
  readonly errorMessage: string;
}

/** Spans of one transaction, neither too small nor too long. */
const BATCH_SIZE = 2000;
const LISTED_FAULTS = 5;
const RETRY_AFTER_SECONDS = 5;

/**
 * Delivers spans, without their secrets, to the sink, batch by batch, and resolves when all valid ones are written.
 *
 * Spans that violate the vocabulary count as rejected; the sink writes them as dead letters. Spans without a step
 * belong to other programs: they are accepted and ignored.
 *
 * @param onProblem called with the reason when the sink did not write spans
 * @throws HttpError 503 when the sink cannot write now; the sender then retries all of them
 */
export async function deliverSpans(
  spans: readonly ObservedSpan[],
  deliver: DeliverBatch,
  onProblem: (error: unknown) => void,
): Promise<DeliveryResult> {
  const { usable, unusable } = partitionByValidIds(hideSecrets(spans));
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
    faults.push(...(report.kind === 'written' ? faultsOf(batch) : batch.map(rejectedByDatabase)));
  }
  return { rejectedSpans: faults.length, errorMessage: describeFaults(faults) };
}

/** A sink that throws counts as retryable. */
async function reportOf(batch: readonly ObservedSpan[], deliver: DeliverBatch): Promise<SinkReport> {
  try {
    return await deliver(batch);
  } catch (error) {
    return { kind: 'retryable', error };
  }
}

/** The same rejections that the sink finds, by translating the same spans: the translation is pure. */
const faultsOf = (batch: readonly ObservedSpan[]): string[] =>
  batch.flatMap((span) => {
    const translation = translate(span);
    return translation.kind === 'rejected' ? [`span ${span.spanId}: ${translation.detail}`] : [];
  });

const rejectedByDatabase = ({ spanId }: ObservedSpan): string =>
  `span ${spanId}: the database rejected the rows of its batch`;

/** The first faults, scrubbed and harmless in the log of the sender, and the number of the others. */
function describeFaults(faults: readonly string[]): string {
  const listed = faults.slice(0, LISTED_FAULTS).map((fault) => printableText(scrubText(fault)));
  const omitted = faults.length - listed.length;
  return [...listed, ...(omitted > 0 ? [`and ${omitted} more`] : [])].join('; ');
}
