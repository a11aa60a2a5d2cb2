import type { ObservedSpan } from '../../src/facts/observed-span.ts';
import type { StepFact } from '../../src/facts/step-fact.ts';
import { translate } from '../../src/facts/translate.ts';
import type { DeadLetterReason } from '../../src/semconv/index.ts';
import { inTurns } from '../turns.ts';
import { compareWorth } from './end-worth.ts';

/** Why a span is not recorded; `detail` says what was got and what is allowed. */
export interface Refusal {
  readonly reason: DeadLetterReason;
  readonly detail: string;
}

/** A span that is not recorded, kept with the reason. */
export interface RejectedSpan extends Refusal {
  readonly span: ObservedSpan;
}

/** A batch of spans, translated, each span once, in the order of their keys. */
export interface Batch {
  readonly ended: readonly StepFact[];
  readonly started: readonly StepFact[];
  /** Closings of steps, whether they count or another end of the step does; of each step the one that counts most. */
  readonly closings: readonly StepFact[];
  readonly rejected: readonly RejectedSpan[];
  /** The span that each fact was made of. */
  readonly sources: ReadonlyMap<StepFact, ObservedSpan>;
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
export async function toBatch(spans: readonly ObservedSpan[]): Promise<Batch> {
  const ended = new Map<string, StepFact>();
  const started = new Map<string, StepFact>();
  const closings = new Map<string, StepFact>();
  const rejected: RejectedSpan[] = [];
  const sources = new Map<StepFact, ObservedSpan>();
  const translated = await inTurns(spans, (span) => ({ span, translation: translate(span) }));
  for (const { span, translation } of translated) {
    if (translation.kind === 'rejected') rejected.push({ span, ...translation });
    if (translation.kind !== 'step') continue;
    const { fact } = translation;
    sources.set(fact, span);
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
    sources,
  };
}

/** The batch without the facts that `judge` refuses; their spans are rejected. */
export function setAside(batch: Batch, judge: (fact: StepFact) => Refusal | null): Batch {
  const refused = new Map<StepFact, RejectedSpan>();
  for (const fact of [...batch.ended, ...batch.started]) {
    const refusal = judge(fact);
    const span = batch.sources.get(fact);
    if (refusal !== null && span !== undefined) refused.set(fact, { span, ...refusal });
  }
  if (refused.size === 0) return batch;
  const isTaken = (fact: StepFact): boolean => !refused.has(fact);
  return {
    ...batch,
    ended: batch.ended.filter(isTaken),
    started: batch.started.filter(isTaken),
    closings: batch.closings.filter(isTaken),
    rejected: [...batch.rejected, ...refused.values()],
  };
}
