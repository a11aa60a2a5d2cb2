import type { StepFact } from '#facts/step-fact';
import { translate } from '#facts/translate';
import type { ObservedSpan } from '#facts/observed-span';
import { endedSpan, startOfSpan, type SpanOptions } from './spans.ts';

/** The fact of a span that must be a valid step. */
export function toFact(span: ObservedSpan): StepFact {
  const translation = translate(span);
  if (translation.kind !== 'step') throw new Error(`no step: ${JSON.stringify(translation)}`);
  return translation.fact;
}

/** The fact of an ended step. */
export const endedFact = (options: SpanOptions): StepFact => toFact(endedSpan(options));

/** The fact of the same step while it runs. */
export const runningFact = (options: SpanOptions): StepFact => toFact(startOfSpan(endedSpan(options)));
