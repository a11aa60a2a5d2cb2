import { closeStep } from './close-step.ts';
import { runIn } from './context/step-scope.ts';
import type { StepDefinition, StepOutcome } from './definition.ts';
import { openStep } from './open-step.ts';
import { type AnyDefinition, type StepPlan, toStepPlan } from './step-plan.ts';
import { watchGenerator } from './result/watch-generator.ts';
import { watchResult } from './result/watch-result.ts';

/** Whether `OTEL_SDK_DISABLED` is `true`; read once, when the module is loaded. A step is then the bare function. */
const IS_SDK_DISABLED = process.env['OTEL_SDK_DISABLED']?.trim().toLowerCase() === 'true';

type StepFunction<This, Args extends unknown[], Result> = (this: This, ...args: Args) => Result;

interface Outcome<Returned> {
  readonly outcome?: (result: Returned, ...args: never[]) => StepOutcome;
}

/**
 * Makes every call of a function a span, and changes nothing else: same value, same throw, same `this`, `name` and
 * `length`, for plain and async functions, thenables, generators and async generators. What the instrumentation itself
 * does wrong is counted (`instrumentationFaults`) and never reaches the caller.
 *
 * With `OTEL_SDK_DISABLED=true` it returns `fn` itself.
 *
 * @throws CategorizedError `validator_internal` when the definition's step or substep is not in the vocabulary.
 *
 * @example
 * ```ts
 * import { step } from 'barograph';
 *
 * const query = step(
 *   {
 *     name: 'query',
 *     substep: 'initiate_fetch',
 *     identity: (runId: number, minerHotkey: string) => ({ runId, minerHotkey, attempt: 1, maxAttempts: 4 }),
 *   },
 *   async (runId: number, minerHotkey: string) => `run ${runId}: asked ${minerHotkey}`,
 * );
 * await query(7, '5F3s…');
 * ```
 */
export function step<This, Args extends unknown[], Result>(
  definition: StepDefinition<Args, Result>,
  fn: StepFunction<This, Args, Result>,
): StepFunction<This, Args, Result>;
/** The same for `function` expressions, whose types the compiler does not take from their bodies. */
export function step<This, Args extends unknown[], Yielded, Returned>(
  definition: Omit<StepDefinition<Args, unknown>, 'outcome'> & Outcome<Returned>,
  fn: (this: This, ...args: Args) => Generator<Yielded, Returned, unknown>,
): (this: This, ...args: Args) => Generator<Yielded, Returned, unknown>;
export function step<This, Args extends unknown[], Yielded, Returned>(
  definition: Omit<StepDefinition<Args, unknown>, 'outcome'> & Outcome<Returned>,
  fn: (this: This, ...args: Args) => AsyncGenerator<Yielded, Returned, unknown>,
): (this: This, ...args: Args) => AsyncGenerator<Yielded, Returned, unknown>;
export function step<Returned, Fn extends (...args: never[]) => Promise<Returned> | Returned>(
  definition: Omit<StepDefinition<Parameters<Fn>, unknown>, 'outcome'> & Outcome<Returned>,
  fn: Fn,
): Fn;
export function step(
  definition: object,
  fn: StepFunction<unknown, unknown[], unknown>,
): StepFunction<unknown, unknown[], unknown> {
  const plan = toStepPlan(definition as AnyDefinition);
  if (IS_SDK_DISABLED) return fn;
  return copyFunctionShape(fn, isGeneratorFunction(fn) ? wrapGenerator(plan, fn) : wrapFunction(plan, fn));
}

function wrapFunction<This, Args extends unknown[], Result>(
  plan: StepPlan,
  fn: StepFunction<This, Args, Result>,
): StepFunction<This, Args, Result> {
  return function (this: This, ...args: Args): Result {
    const open = openStep(plan, args);
    let result: Result;
    try {
      result = runIn(open.surroundings, () => Reflect.apply(fn, this, args));
    } catch (error) {
      closeStep(open, { kind: 'error', error });
      throw error;
    }
    return watchResult(open, result) as Result;
  };
}

/** A generator function runs nothing but its parameter defaults until the first `next()`; those can throw as well. */
function wrapGenerator<This, Args extends unknown[], Result>(
  plan: StepPlan,
  fn: StepFunction<This, Args, Result>,
): StepFunction<This, Args, Result> {
  return function (this: This, ...args: Args): Result {
    let inner: Result;
    try {
      inner = Reflect.apply(fn, this, args);
    } catch (error) {
      closeStep(openStep(plan, args), { kind: 'error', error });
      throw error;
    }
    return watchGenerator(inner as Generator | AsyncGenerator, plan, args) as Result;
  };
}

function isGeneratorFunction(fn: object): boolean {
  return /^\[object (Async)?GeneratorFunction\]$/.test(Object.prototype.toString.call(fn));
}

/** Copies the prototype, `name`, `length` and own properties of the function to its wrapper. */
function copyFunctionShape<Wrapper extends object>(fn: object, wrapper: Wrapper): Wrapper {
  Object.setPrototypeOf(wrapper, Object.getPrototypeOf(fn) as object | null);
  for (const [key, property] of Object.entries(Object.getOwnPropertyDescriptors(fn))) {
    if (key !== 'prototype' && key !== 'arguments' && key !== 'caller') {
      Object.defineProperty(wrapper, key, property);
    }
  }
  return wrapper;
}
