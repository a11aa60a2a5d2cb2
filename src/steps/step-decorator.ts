import { CategorizedError } from '#semconv';
import type { StepDefinition } from './definition.ts';
import { step } from './step.ts';

/** The callbacks of a definition as the only place from which the method's argument types are inferred. */
interface FromArguments<Args extends unknown[]> {
  readonly substep?: string | ((...args: Args) => string);
  readonly identity?: (...args: Args) => unknown;
  readonly attributes?: (...args: Args) => unknown;
}

/** `outcome` as the place from which the final result is inferred, since the method is not known yet. */
interface FromResult<Result> {
  readonly outcome?: (result: Result, ...args: never[]) => unknown;
}

/** A method whose first parameters are those that the definition uses. */
type Method<This, Args extends unknown[], Result> = (this: This, ...args: Args) => Result;

/** What a method returns of which the definition knows the final result. */
type Returning<Result> =
  Result | PromiseLike<Result> | Generator<unknown, Result, never> | AsyncGenerator<unknown, Result, never>;

/** A decorator of both dialects: the standard one, and TypeScript's `experimentalDecorators`. */
interface MethodDecorator<Args extends unknown[], Result> {
  <This, Rest extends unknown[], Value extends Returning<Result>>(
    method: Method<This, [...Args, ...Rest], Value>,
    context?: { readonly kind: 'method' },
  ): Method<This, [...Args, ...Rest], Value>;
  <This, Rest extends unknown[], Value extends Returning<Result>>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<Method<This, [...Args, ...Rest], Value>>,
  ): TypedPropertyDescriptor<Method<This, [...Args, ...Rest], Value>>;
}

/**
 * Makes every call of a method a span: the decorator form of `step`, and nothing but that. It works as a standard
 * decorator and with `experimentalDecorators`.
 *
 * @throws CategorizedError `validator_internal` when the definition's step or substep is not in the vocabulary, and when
 * something else than a method is decorated.
 *
 * @example
 * ```ts
 * import { Step } from 'barograph';
 *
 * class Miners {
 *   @Step({ name: 'query', substep: 'initiate_fetch', identity: (runId: number) => ({ runId }) })
 *   async query(runId: number): Promise<string> {
 *     return `asked in run ${runId}`;
 *   }
 * }
 * ```
 */
export function Step<Args extends unknown[] = [], Result = unknown>(
  definition: StepDefinition<Args, Result> & FromArguments<Args> & FromResult<Result>,
): MethodDecorator<Args, Result> {
  const wrap = (method: AnyMethod): AnyMethod =>
    step(definition as unknown as StepDefinition<unknown[], unknown>, method);
  const decorate = (target: unknown, place: unknown, descriptor?: unknown): unknown => {
    if (isMethod(target) && (place === undefined || kindOf(place) === 'method')) return wrap(target);
    const value: unknown = isObject(descriptor) ? Reflect.get(descriptor, 'value') : undefined;
    if (isMethod(value)) return { ...(descriptor as PropertyDescriptor), value: wrap(value) };
    throw new CategorizedError(
      'validator_internal',
      `@Step(${definition.name}) decorates ${kindOf(place) ?? describeTarget(target)}; allowed: methods, by the standard ` +
        'decorators or by experimentalDecorators. Wrap anything else by step(definition, fn).',
    );
  };
  return decorate as MethodDecorator<Args, Result>;
}

type AnyMethod = Method<unknown, unknown[], unknown>;

const isMethod = (value: unknown): value is AnyMethod => typeof value === 'function';

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** Names the cause where a compiler follows the proposal of 2018, which hands over one object in place of the method. */
function describeTarget(target: unknown): string {
  return isObject(target) && 'kind' in target && 'descriptor' in target
    ? 'a method as decorators before 2022 do, which is what swc makes without settings (set jsc.transform.decoratorVersion ' +
        'to "2022-03", or legacyDecorator to true)'
    : 'something that is no method';
}

/** What the standard context of a decorator says that is decorated. */
function kindOf(place: unknown): string | null {
  const kind: unknown = isObject(place) ? Reflect.get(place, 'kind') : null;
  return typeof kind === 'string' ? kind : null;
}
