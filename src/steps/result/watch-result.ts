import { context } from '@opentelemetry/api';
import { types } from 'node:util';
import { closeStep } from '../close-step.ts';
import { guarded } from '../instrumentation-faults.ts';
import type { StepCall } from '../open-step.ts';
import { watchThenable, type Then } from './watch-thenable.ts';

/**
 * Closes the step when its result is there, and hands the result on: a plain value at once and as it is; a native
 * promise as one that settles the same way, and is unhandled when that one would be; another thenable untouched until
 * somebody awaits it.
 */
export function watchResult(step: StepCall, result: unknown): unknown {
  if (types.isPromise(result) && isOrdinaryPromise(result)) return watchPromise(step, result);
  const then = thenOf(result);
  if (then === null) {
    closeStep(step, { kind: 'value', value: result });
    return result;
  }
  return watchThenable(result as object, then, { step, caller: context.active() });
}

/** No subclass, and not one that brings its own `then`: only then is it sure that work is under way already. */
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

/** Gives a promise what its maker hung on the first one, such as `cancel`. Symbols are the runtime's own notes. */
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
