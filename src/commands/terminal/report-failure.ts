import { CategorizedError } from '#semconv';
import { messageOf } from '#semconv/message-of';
import { printableLines, printableText } from '#semconv/printable-text';
import { hideSecretValues } from '#semconv/secret-values';
import { Interrupted } from './signals.ts';

/** How long a process may take to end by itself once its work is done, milliseconds; pipes are flushed by then. */
const EXIT_GRACE_MILLIS = 1000;

/**
 * Ends a process whose work is done, even if an abandoned request or timer would keep it alive.
 */
export function exitWhenIdle(): void {
  setTimeout(() => process.exit(), EXIT_GRACE_MILLIS).unref();
}

/**
 * Ends a failed command: prints the message, without stack, tokens and passwords, and sets the exit code. Addresses and
 * paths stay, because the reader of this terminal entered them. Only our own errors have several lines: the message of
 * a server may quote what a sender chose.
 */
export function reportFailure(error: unknown): void {
  const message = hideSecretValues(messageOf(error));
  const text = error instanceof CategorizedError ? printableLines(message) : printableText(message);
  process.stderr.write(`${text}\n`);
  process.exitCode = error instanceof Interrupted ? error.exitCode : 1;
}
