import { closeStep } from '../close-step.ts';
import { runIn } from '../context/step-scope.ts';
import { openStep, type StepCall } from '../open-step.ts';
import type { StepPlan } from '../step-plan.ts';

/** How the consumer of a generator resumes it. */
type Resumption = 'next' | 'return' | 'throw';

function resumeInner(inner: Generator | AsyncGenerator, kind: Resumption, values: unknown[]): unknown {
  const method = Reflect.get(inner, kind) as (...values: unknown[]) => unknown;
  return Reflect.apply(method, inner, values);
}

/**
 * Proxy generator with the prototype of `inner`. The span begins at the first `next()` and ends with the generator.
 * Each resumption runs inside the span's context; the consumer's code between two resumptions does not.
 */
export function watchGenerator(inner: Generator | AsyncGenerator, plan: StepPlan, args: unknown[]): object {
  let step: StepCall | null = null;
  let isRunning = false;

  const settle = (kind: Resumption, result: IteratorResult<unknown>): IteratorResult<unknown> => {
    if (step !== null && result.done === true) {
      if (kind === 'return') closeStep(step, { kind: 'stopped_early' });
      else closeStep(step, { kind: 'value', value: result.value });
    }
    return result;
  };
  const fail = (error: unknown): never => {
    if (step !== null) closeStep(step, { kind: 'error', error });
    throw error;
  };
  const resume = (kind: Resumption, values: unknown[]): unknown => {
    const call = (): unknown => resumeInner(inner, kind, values);
    if (kind === 'next') step ??= openStep(plan, args);
    // A generator that never started has nothing to record; one that resumes itself throws without ending.
    if (step === null || step.isClosed || isRunning) return call();
    isRunning = !(Symbol.asyncIterator in inner);
    try {
      const result = runIn(step.surroundings, call);
      return result instanceof Promise
        ? result.then((value: IteratorResult<unknown>) => settle(kind, value), fail)
        : settle(kind, result as IteratorResult<unknown>);
    } catch (error) {
      return fail(error);
    } finally {
      isRunning = false;
    }
  };
  const method = (kind: Resumption): PropertyDescriptor => ({
    value: (...values: unknown[]) => resume(kind, values),
    writable: true,
    configurable: true,
  });
  const methods = { next: method('next'), return: method('return'), throw: method('throw') };
  return Object.create(Object.getPrototypeOf(inner) as object, methods) as object;
}
