import { types } from 'node:util';
import { closeStep } from '../close-step.ts';
import { guarded } from '../instrumentation-faults.ts';
import type { StepCall } from '../open-step.ts';
import { watchThenable, type Then } from './watch-thenable.ts';

/**
 * Closes the step when its result is known, and passes the result on. A plain value: at once, unchanged. A native
 * promise: as a promise that settles the same way, with the same unhandled rejection. Another thenable: as a proxy that
 * does nothing until it is awaited.
 */
export function watchResult(step: StepCall, result: unknown): unknown {
  if (types.isPromise(result) && isOrdinaryPromise(result)) return watchPromise(step, result);
  const then = thenOf(result);
  if (then === null) {
    closeStep(step, { kind: 'value', value: result });
    return result;
  }
  return watchThenable(result as object, then, step);
}

/** Neither a subclass nor an own `then`: only then is the work certain to have started already. */
function isOrdinaryPromise(promise: Promise<unknown>): boolean {
  return Object.getPrototypeOf(promise) === Promise.prototype && !Object.hasOwn(promise, 'then');
}

function watchPromise(step: StepCall, promise: Promise<unknown>): Promise<unknown> {
  const watched = promise.then(
    (value) => {
      closeStep(step, { kind: 'value', value });
      return value;
    },
    (error: unknown) => {
      closeStep(step, { kind: 'error', error });
      throw error;
    },
  );
  return withOwnProperties(watched, promise);
}

/** Copies own properties of the original promise, such as `cancel`. Symbols belong to the runtime and are left out. */
function withOwnProperties(watched: Promise<unknown>, promise: Promise<unknown>): Promise<unknown> {
  for (const key of Object.getOwnPropertyNames(promise)) {
    const property = Object.getOwnPropertyDescriptor(promise, key);
    if (property !== undefined) Reflect.defineProperty(watched, key, property);
  }
  return watched;
}

/** The `then` of a thenable, read once; null for any other value, and for one that cannot be read. */
function thenOf(value: unknown): Then | null {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return null;
  const then: unknown = guarded('result', null, () => Reflect.get(value, 'then') as unknown);
  return typeof then === 'function' ? (then as Then) : null;
}
