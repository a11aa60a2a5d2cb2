import { messageOf } from '#semconv/message-of';
import { printableText } from '#semconv/printable-text';
import { hideSecretValues } from '#semconv/secret-values';

/** Formats problems, each on one line without secrets, and drops a warning that equals the one before it. */
export function dedupeWarnings(warn: (message: string) => void): (problem: unknown) => void {
  let last: string | undefined;
  return (problem) => {
    const message = printableText(hideSecretValues(messageOf(problem)));
    if (message !== last) warn(message);
    last = message;
  };
}
