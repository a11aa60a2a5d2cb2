import { messageOf } from '#semconv/message-of';
import { hideSecretValues } from '#semconv/secret-values';

/** Formats problems without secrets and drops a warning that equals the one before it. */
export function dedupeWarnings(warn: (message: string) => void): (problem: unknown) => void {
  let last: string | undefined;
  return (problem) => {
    const message = hideSecretValues(messageOf(problem));
    if (message !== last) warn(message);
    last = message;
  };
}
