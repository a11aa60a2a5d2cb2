import { context, type Context } from '@opentelemetry/api';
import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * The scopes of steps: a storage of our own, so that steps nest in a program that has no context manager, and the
 * context of one that has stays as it is.
 */
const scopes = new AsyncLocalStorage<object>();

/** The scope of the code that runs here; undefined outside of any. */
export const activeScope = (): object | undefined => scopes.getStore();

/** What code runs in. */
export interface Surroundings {
  readonly scope: object;
  /** The context of OpenTelemetry's API; null where it stays as it is. */
  readonly api: Context | null;
}

/** Calls a function in its surroundings. */
export function runIn<Result>({ scope, api }: Surroundings, fn: () => Result): Result {
  return api === null ? scopes.run(scope, fn) : context.with(api, () => scopes.run(scope, fn));
}
