import { messageOf } from '#semconv/message-of';
import { hideSecretValues } from '#semconv/secret-values';
import { Interrupted } from './signals.ts';

/** How long a process may take to end by itself once its work is done, milliseconds. */
const PATIENCE_MILLIS = 1000;

/**
 * Ends a process whose work is done, even if something that was let go of would keep it alive: a request that nobody
 * answers, a timer. What was written to pipes is out by then.
 */
export function exitWhenIdle(): void {
  setTimeout(() => process.exit(), PATIENCE_MILLIS).unref();
}

/**
 * Ends a command that failed: prints the reason without stack, tokens and passwords, and sets the exit code. Addresses
 * and paths stay: they are those that the reader of this terminal has given.
 */
export function reportFailure(error: unknown): void {
  const message = messageOf(error);
  process.stderr.write(`${hideSecretValues(message)}\n`);
  process.exitCode = error instanceof Interrupted ? error.exitCode : 1;
}
