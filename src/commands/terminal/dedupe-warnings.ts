import { messageOf } from '#semconv/message-of';
import { hideSecretValues } from '#semconv/secret-values';

/** Deduplicates warnings: prints problems as text without secrets, and not the same one twice in a row. */
export function dedupeWarnings(report: (message: string) => void): (problem: unknown) => void {
  let last: string | undefined;
  return (problem) => {
    const message = hideSecretValues(messageOf(problem));
    if (message !== last) report(message);
    last = message;
  };
}
