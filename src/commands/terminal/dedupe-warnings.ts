import { messageOf } from '#semconv/message-of';
import { hideSecretValues } from '#semconv/secret-values';

/** Tells problems in words, without secrets; one that is the same as the one before is not told again. */
export function dedupeWarnings(report: (message: string) => void): (problem: unknown) => void {
  let last: string | undefined;
  return (problem) => {
    const message = hideSecretValues(messageOf(problem));
    if (message !== last) report(message);
    last = message;
  };
}
