import { context } from '@opentelemetry/api';
import { closeStep } from '../close-step.ts';
import { stepScope } from '../context/identity-context.ts';
import { runIn, type Surroundings } from '../context/step-scope.ts';
import type { StepCall } from '../open-step.ts';

type Callback = ((value: unknown) => unknown) | null | undefined;
/** The `then` of some object. */
export type Then = (
  this: unknown,
  onFulfilled?: Callback,
  onRejected?: Callback,
  ...rest: unknown[]
) => unknown;

/**
 * A transparent proxy of the thenable, whose step is closed when it first settles.
 *
 * It is never awaited here: a lazy query starts when its user awaits it, inside the step's span, and as often as the
 * user does. One that nobody awaits leaves its span running, as its work is never done. Methods run on the object
 * itself, for they may use private fields; one that returns the object gives the watched one, so that chains stay
 * watched.
 */
export function watchThenable(target: object, then: Then, step: StepCall): object {
  const watchedThen = toWatchedThen(target, then, step);
  const replaced: ReadonlyMap<PropertyKey, unknown> = new Map<PropertyKey, unknown>([
    ['then', watchedThen],
    ['catch', (onRejected?: Callback) => watchedThen(undefined, onRejected)],
    ['finally', (onFinally?: () => unknown) => thenFinally(watchedThen, onFinally)],
  ]);
  const isFixed = Object.getOwnPropertyDescriptor(target, 'then')?.configurable === false;
  const watched: object = new Proxy(isFixed ? standInFor(target) : target, {
    get(_, key) {
      const value = Reflect.get(target, key) as unknown;
      if (typeof value !== 'function' || key === 'constructor' || isFrozen(target, key, isFixed))
        return value;
      return replaced.get(key) ?? onTarget(value, target, () => watched);
    },
    set: (_, key, value) => Reflect.set(target, key, value),
    has: (_, key) => Reflect.has(target, key),
  });
  return watched;
}

function toWatchedThen(target: object, then: Then, step: StepCall): Then {
  // Callbacks run where the step was called from, not within the step.
  const api = step.surroundings.api === null ? null : context.active();
  const caller: Surroundings = { scope: stepScope(), api };
  const inCaller = (callback: Callback): Callback =>
    typeof callback === 'function' ? (value) => runIn(caller, () => callback(value)) : callback;
  return (onFulfilled, onRejected, ...rest) => {
    const fulfilled = inCaller(onFulfilled);
    const rejected = inCaller(onRejected);
    const onValue = (value: unknown): unknown => {
      closeStep(step, { kind: 'value', value });
      return typeof fulfilled === 'function' ? fulfilled(value) : value;
    };
    const onError = (error: unknown): unknown => {
      closeStep(step, { kind: 'error', error });
      if (typeof rejected === 'function') return rejected(error);
      throw error;
    };
    return runIn(step.surroundings, () => Reflect.apply(then, target, [onValue, onError, ...rest]));
  };
}

/** Like `Promise.prototype.finally`: passes the value or error through, unless the callback itself fails. */
function thenFinally(then: Then, onFinally?: () => unknown): unknown {
  if (typeof onFinally !== 'function') return then(onFinally, onFinally);
  return then(
    async (value) => {
      await onFinally();
      return value;
    },
    async (error) => {
      await onFinally();
      throw error;
    },
  );
}

/**
 * Proxy invariant: a property that is neither writable nor configurable must be reported as it is. A stand-in has none.
 */
function isFrozen(target: object, key: PropertyKey, isStandIn: boolean): boolean {
  const property = Object.getOwnPropertyDescriptor(target, key);
  return !isStandIn && property?.configurable === false && property.writable === false;
}

/** A proxy cannot replace the `then` of a frozen target, so an empty object of the same class is proxied instead. */
const standInFor = (target: object): object =>
  Object.create(Object.getPrototypeOf(target) as object | null) as object;

function onTarget(method: object, target: object, toWatched: () => object): unknown {
  return new Proxy(method as (...args: unknown[]) => unknown, {
    apply: (callee, _self, args: unknown[]) => {
      const result = Reflect.apply(callee, target, args);
      return result === target ? toWatched() : result;
    },
  });
}
