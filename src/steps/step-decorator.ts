import type { StepDefinition } from './definition.ts';
import { step } from './step.ts';

/** The callbacks of a definition as the only place from which the method's argument types are inferred. */
interface FromArguments<Args extends unknown[]> {
  readonly substep?: string | ((...args: Args) => string);
  readonly identity?: (...args: Args) => unknown;
  readonly attributes?: (...args: Args) => unknown;
}

/** A method whose first parameters are those that the definition uses. */
type Method<This, Args extends unknown[], Result> = (this: This, ...args: Args) => Result;

/**
 * Makes every call of a method a span: the standard decorator form of `step`, and nothing but that.
 *
 * @throws CategorizedError `validator_internal` when the definition's step or substep is not in the vocabulary.
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
export function Step<Args extends unknown[], Result>(
  definition: StepDefinition<Args, Result> & FromArguments<Args>,
): <This, Rest extends unknown[], Value extends Result>(
  method: Method<This, [...Args, ...Rest], Value>,
) => Method<This, [...Args, ...Rest], Value> {
  return <This, Rest extends unknown[], Value extends Result>(
    method: Method<This, [...Args, ...Rest], Value>,
  ) => step(definition as unknown as StepDefinition<[...Args, ...Rest], Value>, method);
}
