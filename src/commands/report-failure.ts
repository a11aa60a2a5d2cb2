import { scrubText } from '../semconv/index.ts';

/** Ends a command that failed: says why in words, without stack and secrets, and leaves exit code 1. */
export function reportFailure(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${scrubText(message)}\n`);
  process.exitCode = 1;
}
