import type { ObservedSpan } from '../../src/facts/observed-span.ts';
import type { StepFact } from '../../src/facts/step-fact.ts';
import { translate } from '../../src/facts/translate.ts';
import { compareWorth } from './end-worth.ts';

/** A span that breaks the vocabulary, kept with the reason. */
export interface RejectedSpan {
  readonly span: ObservedSpan;
  readonly reason: string;
  readonly detail: string;
}

/** A batch of spans, translated, each span once, in the order of their keys. */
export interface Batch {
  readonly ended: readonly StepFact[];
  readonly started: readonly StepFact[];
  /** Closings of steps, whether they count or another end of the step does; of each step the one that counts most. */
  readonly closings: readonly StepFact[];
  readonly rejected: readonly RejectedSpan[];
}

const keyOf = ({ validatorHotkey, traceId, spanId }: StepFact): string =>
  `${validatorHotkey}/${traceId}/${spanId}`;

/** Sorted keys keep concurrent writers from waiting for each other in a circle. */
function inKeyOrder(facts: ReadonlyMap<string, StepFact>): readonly StepFact[] {
  return [...facts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, fact]) => fact);
}

/** A step may have told its end and have been closed as well. */
function keepBetter(ended: Map<string, StepFact>, fact: StepFact): void {
  const known = ended.get(keyOf(fact));
  if (known === undefined || compareWorth(fact, known) >= 0) ended.set(keyOf(fact), fact);
}

/** Translates spans and drops what the batch holds twice; the start of a span that ended says nothing more. */
export function toBatch(spans: readonly ObservedSpan[]): Batch {
  const ended = new Map<string, StepFact>();
  const started = new Map<string, StepFact>();
  const closings = new Map<string, StepFact>();
  const rejected: RejectedSpan[] = [];
  for (const span of spans) {
    const translation = translate(span);
    if (translation.kind === 'rejected') rejected.push({ span, ...translation });
    if (translation.kind !== 'step') continue;
    const { fact } = translation;
    if (fact.phase === 'started') started.set(keyOf(fact), fact);
    else keepBetter(ended, fact);
    if (fact.closing !== null) keepBetter(closings, fact);
  }
  for (const key of ended.keys()) started.delete(key);
  return {
    ended: inKeyOrder(ended),
    started: inKeyOrder(started),
    closings: inKeyOrder(closings),
    rejected,
  };
}
