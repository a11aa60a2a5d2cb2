import { messageOf } from '#semconv/message-of';
import { hideSecretValues } from '#semconv/secret-values';
import { Interrupted } from './interruption.ts';

/**
 * Ends a command that failed: says why in words, without stack, tokens and passwords, and sets the exit code. Addresses
 * and paths stay: they are those that the reader of this terminal has given.
 */
export function reportFailure(error: unknown): void {
  const message = messageOf(error);
  process.stderr.write(`${hideSecretValues(message)}\n`);
  process.exitCode = error instanceof Interrupted ? error.exitCode : 1;
}
