import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { validateTimestamps } from '#facts/clock-range';
import type { ObservedSpan } from '#facts/observed-span';
import { translate } from '#facts/translate';
import { scrubText } from '#semconv';
import { printableText } from '#semconv/printable-text';
import { hideSecrets } from '#semconv/secret-values';
import type { DecodedSpans } from './decode/attributes.ts';
import type { Faults } from './decode/faults.ts';
import { busy } from './http-error.ts';
import type { IngestToken } from './tokens.ts';

/** Result of a delivery: `written` durably, on disk at least; `retryable`, with nothing known to be written; or `rejected` for good. */
export type SinkReport =
  { readonly kind: 'written' } | { readonly kind: 'retryable' | 'rejected'; readonly error: unknown };

/** Keeps spans, all or none; resolves when they are durable, not before. Must be idempotent: senders retry. */
export type DeliverBatch = (spans: readonly ObservedSpan[], token: string) => Promise<SinkReport>;

/** Why spans are refused: they cannot be read; they could not be kept and may be sent again; their token may not speak so. */
export type RefusalReason = 'unreadable' | 'not_kept' | 'other_validator';

/** What a delivery needs. */
export interface DeliveryParts {
  readonly deliver: DeliverBatch;
  /** The token of the sender. */
  readonly token: IngestToken;
  /** Called with the reason when the sink did not write spans. */
  readonly onProblem: (error: unknown) => void;
  /** Counts spans that are refused here, by reason; those that the sink makes dead letters are counted by it. */
  readonly onRefused?: (reason: RefusalReason, spans: number) => void;
  /** Milliseconds since 1970; the system clock unless given. */
  readonly now?: () => number;
}

/** The result of an export, for its sender. */
export interface DeliveryResult {
  readonly rejectedSpans: number;
  /** The reasons, for people; empty when no span was rejected. */
  readonly errorMessage: string;
}

/** Spans of one transaction, neither too small nor too long. */
const BATCH_SIZE = 2000;
const RETRY_AFTER_SECONDS = 5;
/** Spans that are translated before other requests have their turn; a few milliseconds. */
const SPANS_PER_TURN = 250;

/**
 * Delivers spans, without their secrets, to the sink, batch by batch, and resolves when all valid ones are durable.
 *
 * Spans that violate the vocabulary, or whose clock is wrong, count as rejected; the sink writes them as dead letters.
 * Spans without a step are of no use here: they are accepted and ignored.
 *
 * @throws HttpError 503 when the sink cannot write now; the sender then retries all of them
 */
export async function deliverSpans(
  { spans, faults }: DecodedSpans,
  { deliver, token, onProblem, onRefused = () => undefined, now = Date.now }: DeliveryParts,
): Promise<DeliveryResult> {
  const valid = withValidIds(hideSecrets(spans.filter(isStep)), faults);
  if (faults.spans > 0) onRefused('unreadable', faults.spans);
  const allowed = valid.filter((span) => maySpeak(token, span, faults));
  if (allowed.length < valid.length) onRefused('other_validator', valid.length - allowed.length);
  const usable = withNamedSenders(allowed);
  for (let start = 0; start < usable.length; start += BATCH_SIZE) {
    const batch = usable.slice(start, start + BATCH_SIZE);
    const report = await reportOf(batch, (spans) => deliver(spans, token.token));
    if (report.kind !== 'written') onProblem(report.error);
    if (report.kind !== 'written') onRefused('not_kept', batch.length);
    if (report.kind === 'retryable') {
      throw busy('The spans could not be written and may be sent again.', RETRY_AFTER_SECONDS, {
        cause: report.error,
      });
    }
    for (const [index, span] of batch.entries()) {
      if (index % SPANS_PER_TURN === 0) await setImmediate();
      const fault = report.kind === 'written' ? faultOf(span, now()) : REJECTED_BY_DATABASE;
      if (fault !== null) faults.add(`span ${span.spanId}: ${fault}`);
    }
  }
  return { rejectedSpans: faults.spans, errorMessage: describeFaults(faults) };
}

/** Whether a span is one of ours; of all others nothing is kept. */
export const isStep = ({ attributes }: ObservedSpan): boolean =>
  attributes['weather.step.name'] !== undefined;

/** Whether the token may send the span; else it is a fault. A validator that cannot be read is nobody's. */
function maySpeak(
  { validators }: IngestToken,
  { spanId, attributes, resource }: ObservedSpan,
  faults: Faults,
): boolean {
  if (validators === null) return true;
  const named = attributes['weather.validator.hotkey'] ?? resource['weather.validator.hotkey'];
  if (typeof named === 'string' && validators.has(named)) return true;
  const got = typeof named === 'string' ? JSON.stringify(named.slice(0, 80)) : 'no validator';
  faults.add(`span ${spanId}: it is of ${got}; its sender may speak for: ${[...validators].join(', ')}`);
  return false;
}

/** A sink that throws counts as retryable. */
async function reportOf(
  batch: readonly ObservedSpan[],
  deliver: (spans: readonly ObservedSpan[]) => Promise<SinkReport>,
): Promise<SinkReport> {
  try {
    return await deliver(batch);
  } catch (error) {
    return { kind: 'retryable', error };
  }
}

/** The same rejection that the sink finds, by translating the same span: the translation is pure. */
function faultOf(span: ObservedSpan, nowMillis: number): string | null {
  const translation = translate(span);
  if (translation.kind === 'rejected') return translation.detail;
  if (translation.kind === 'ignored') return null;
  return validateTimestamps(translation.fact, nowMillis * 1000)?.detail ?? null;
}

const REJECTED_BY_DATABASE = 'the database rejected the rows of its batch';

/** The first faults, scrubbed and harmless in the log of the sender, and the number of the others. */
function describeFaults({ listed, spans }: Faults): string {
  const omitted = spans - listed.length;
  const texts = listed.map((fault) => printableText(scrubText(fault)));
  return [...texts, ...(omitted > 0 ? [`and ${omitted} more`] : [])].join('; ');
}

const isId = (id: string, digits: number): boolean => id.length === digits && !/^0+$/.test(id);

/**
 * The spans with valid ids; the others become faults. A row needs ids of the right length, not all zero, as OTLP demands.
 * A parent id of zeros is that of a root, as some senders write it.
 */
function withValidIds(spans: readonly ObservedSpan[], faults: Faults): readonly ObservedSpan[] {
  return spans.flatMap((span) => {
    const isRoot = span.parentSpanId === null || /^0+$/.test(span.parentSpanId);
    const fault = idFaultOf(span) ?? (isRoot ? null : parentFaultOf(span));
    if (fault === null) return isRoot && span.parentSpanId !== null ? { ...span, parentSpanId: null } : span;
    faults.add(`span ${JSON.stringify(span.name.slice(0, 40))} has the ${fault}`);
    return [];
  });
}

function idFaultOf({ traceId, spanId }: ObservedSpan): string | null {
  if (!isId(traceId, 32)) return `trace id "${traceId.slice(0, 40)}"; allowed: 16 bytes, not all zero`;
  if (!isId(spanId, 16))
    return `span id "${spanId.slice(0, 40)}" in the trace ${traceId}; allowed: 8 bytes, not all zero`;
  return null;
}

const parentFaultOf = ({ spanId, parentSpanId }: ObservedSpan): string | null =>
  isId(parentSpanId ?? '', 16)
    ? null
    : `parent span id "${(parentSpanId ?? '').slice(0, 40)}" (span id "${spanId}"); allowed: 8 bytes, or none`;

type Resource = ObservedSpan['resource'];
const INSTANCE = 'service.instance.id';

/**
 * Names the senders that do not name themselves, so that they are not one: by a digest of all that their resource says
 * (host, process, service). It depends on nothing else, so that a span is the same however often and whichever way it comes.
 * Processes whose resources are equal stay one.
 */
export function withNamedSenders(spans: readonly ObservedSpan[]): readonly ObservedSpan[] {
  // The spans of a group share their resource.
  const named = new Map<Resource, Resource>();
  return spans.map((span) => {
    const { resource } = span;
    const id = resource[INSTANCE];
    if (typeof id === 'string' && id !== '') return span;
    const known = named.get(resource) ?? { ...resource, [INSTANCE]: `unnamed-${digestOf(resource)}` };
    named.set(resource, known);
    return { ...span, resource: known };
  });
}

function digestOf(resource: Resource): string {
  const entries = Object.entries(resource).sort(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify(entries, (_key, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
