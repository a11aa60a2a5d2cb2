import type { ObservedSpan } from '#facts/observed-span';
import type { StepFact } from '#facts/step-fact';
import { translate } from '#facts/translate';
import type { DeadLetterReason } from '#semconv';
import { mapCooperatively } from '#lifecycle/cooperative-map';
import { compareEndPrecedence } from './end-precedence.ts';

/** Why a span is not recorded; `detail` holds the value received and the range allowed. */
export interface Rejection {
  readonly reason: DeadLetterReason;
  readonly detail: string;
}

/** A span that is not recorded, with the reason. */
export interface RejectedSpan extends Rejection {
  readonly span: ObservedSpan;
}

/** A batch of spans, translated and deduplicated, in key order. */
export interface Batch {
  readonly ended: readonly StepFact[];
  readonly started: readonly StepFact[];
  /** The closing of highest precedence of each step, also where a real end takes precedence over it. */
  readonly closings: readonly StepFact[];
  readonly rejected: readonly RejectedSpan[];
  /** All translated spans, duplicates included. */
  readonly sources: readonly TranslatedSpan[];
}

/** A span and the fact that it was translated to. */
export interface TranslatedSpan {
  readonly span: ObservedSpan;
  readonly fact: StepFact;
}

const compareText = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);

/** One lock order for all writers: rows sorted by key cannot deadlock concurrent batches. */
const compareKeys = (a: StepFact, b: StepFact): number =>
  compareText(a.validatorHotkey, b.validatorHotkey) ||
  compareText(a.traceId, b.traceId) ||
  compareText(a.spanId, b.spanId);

/**
 * Translates spans and deduplicates them; the start of a span whose end is in the batch is dropped, since the end
 * repeats it.
 */
export async function toBatch(spans: readonly ObservedSpan[]): Promise<Batch> {
  const rejected: RejectedSpan[] = [];
  const sources: TranslatedSpan[] = [];
  await mapCooperatively(spans, (span) => {
    const translation = translate(span);
    if (translation.kind === 'rejected') rejected.push({ span, ...translation });
    else if (translation.kind === 'step') sources.push({ span, fact: translation.fact });
  });
  const facts = sources.map(({ fact }) => fact).sort(compareKeys);
  return { ...toSteps(facts), rejected, sources };
}

/** Merges the facts of each step, which sorting has made adjacent. */
function toSteps(facts: readonly StepFact[]): Pick<Batch, 'ended' | 'started' | 'closings'> {
  const ended: StepFact[] = [];
  const started: StepFact[] = [];
  const closings: StepFact[] = [];
  let start: StepFact | undefined;
  let end: StepFact | undefined;
  let closing: StepFact | undefined;
  for (const [index, fact] of facts.entries()) {
    if (fact.phase === 'started') start = fact;
    else end = preferredEnd(fact, end);
    if (fact.closing !== null) closing = preferredEnd(fact, closing);
    const next = facts[index + 1];
    if (next !== undefined && compareKeys(fact, next) === 0) continue;
    if (end !== undefined) ended.push(end);
    else if (start !== undefined) started.push(start);
    if (closing !== undefined) closings.push(closing);
    start = end = closing = undefined;
  }
  return { ended, started, closings };
}

/** A batch may hold both the real end and a closing of one step. */
const preferredEnd = (fact: StepFact, known: StepFact | undefined): StepFact =>
  known === undefined || compareEndPrecedence(fact, known) >= 0 ? fact : known;

/** The batch without the facts that `validate` rejects; their spans move to `rejected`. */
export function rejectFacts(batch: Batch, validate: (fact: StepFact) => Rejection | null): Batch {
  const rejections = new Map<StepFact, Rejection>();
  for (const facts of [batch.ended, batch.started]) {
    for (const fact of facts) {
      const rejection = validate(fact);
      if (rejection !== null) rejections.set(fact, rejection);
    }
  }
  if (rejections.size === 0) return batch;
  const isAccepted = (fact: StepFact): boolean => !rejections.has(fact);
  const newlyRejected = batch.sources.flatMap(({ span, fact }) => {
    const rejection = rejections.get(fact);
    return rejection === undefined ? [] : [{ span, ...rejection }];
  });
  return {
    ...batch,
    ended: batch.ended.filter(isAccepted),
    started: batch.started.filter(isAccepted),
    closings: batch.closings.filter(isAccepted),
    rejected: [...batch.rejected, ...newlyRejected],
  };
}
