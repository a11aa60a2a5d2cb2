import { step } from '#steps';
import { measureRecords, type RecordQuestion } from './records.ts';
import { openSide, type SideName } from './sides.ts';
import { nanosPerCall, slowCallNanos, type CallPlan } from './timing.ts';
import { DEFINITION, work } from './work.ts';

/** A request to the process of a side. */
export type Question =
  | ({ readonly kind: 'call'; readonly isFlushed?: boolean } & CallPlan)
  | { readonly kind: 'slow_call'; readonly calls: number }
  /** In a process whose SDK is disabled: the step and the bare function. */
  | ({ readonly kind: 'disabled_step' | 'bare_function' } & CallPlan)
  | RecordQuestion;

export interface Answer {
  readonly value: number;
  /** Why there is no value; null when there is one. */
  readonly error: string | null;
}

/**
 * One side of the suite `steps`, in a separate process: context propagation, the registered SDK and `OTEL_SDK_DISABLED`
 * are process-wide, and the first of them makes every `await` slower.
 */
const [side = '', directory = ''] = process.argv.slice(2);
const SIDES: readonly string[] = ['bare', 'recorded', 'delivered', 'by hand'] satisfies SideName[];
const opened = SIDES.includes(side) ? openSide(side as SideName, directory) : null;
const disabledStep = step(DEFINITION, work);

async function answer(question: Question): Promise<number> {
  globalThis.gc?.();
  switch (question.kind) {
    case 'disabled_step':
      return nanosPerCall(disabledStep, question);
    case 'bare_function':
      return nanosPerCall(work, question);
    case 'call':
      return measureCall(question);
    case 'slow_call':
      return slowCallNanos((await sideOf()).call, question.calls);
    default:
      return measureRecords(question, directory);
  }
}

async function measureCall(question: CallPlan & { readonly isFlushed?: boolean }): Promise<number> {
  const { call, flush } = await sideOf();
  const begun = performance.now();
  const nanos = await nanosPerCall(call, question);
  if (question.isFlushed !== true || flush === undefined) return nanos;
  await flush();
  return ((performance.now() - begun) * 1e6) / question.calls;
}

async function sideOf() {
  const found = await opened;
  if (found === null) throw new Error(`The process of ${side} makes no calls.`);
  return found;
}

process.on('message', (question: Question) => {
  answer(question).then(
    (value) => process.send?.({ value, error: null } satisfies Answer),
    (error: unknown) => process.send?.({ value: NaN, error: String(error) } satisfies Answer),
  );
});
process.on('disconnect', () => process.exit());
