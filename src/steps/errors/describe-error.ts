import { scrubText, type ErrorCategory } from '#semconv';
import { classifyError, isRetryable } from './classify-error.ts';
import { fingerprintOf } from './error-fingerprint.ts';
import { formatFrames, parseStack } from './stack-trace.ts';
import {
  classOf,
  errorChain,
  readHttpStatus,
  readMessage,
  readText,
  type ErrorLink,
} from './unknown-error.ts';

/** One cause of an error. `member` is its place in the AggregateError before it. */
export interface CauseDescription {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly member?: number;
}

/** The record of an error on a span, bounded and scrubbed. */
export interface ErrorDescription {
  readonly category: ErrorCategory;
  readonly class: string;
  /** That of the first link of the chain that has one: a wrapper seldom has a code of its own. */
  readonly code: string | null;
  /** Of the first link of the chain that carries one, 100 to 599; null when no reply came. */
  readonly httpStatus: number | null;
  readonly message: string;
  /** As V8 writes it, at most twenty frames, files by their base names; null when there is none. */
  readonly stack: string | null;
  /** Without the error itself, outermost first. */
  readonly causes: readonly CauseDescription[];
  /** Twelve hexadecimal digits. */
  readonly fingerprint: string;
  readonly retryable: boolean;
}

const MAX_MESSAGE = 1000;
const MAX_NAME = 100;
/**
 * Characters that are scrubbed. Scrubbing comes before the cut to `MAX_MESSAGE`, so that half a secret is never left.
 */
const MAX_SCRUBBED = 8192;

const clean = (text: string, maxLength: number): string =>
  scrubText(text.slice(0, MAX_SCRUBBED)).slice(0, maxLength);

/**
 * Describes any thrown value. Never throws. The fingerprint counts the error's own code only, so that failures recorded
 * before the code of a cause was looked for keep theirs.
 */
export function describeError(error: unknown): ErrorDescription {
  const category = classifyError(error);
  const name = clean(classOf(error), MAX_NAME);
  const chain = errorChain(error);
  const message = clean(readMessage(error), MAX_MESSAGE);
  const frames = parseStack(readText(error, 'stack') ?? '');
  return {
    category,
    class: name,
    code: chain.map((link) => codeOf(link.error)).find((code) => code !== null) ?? null,
    httpStatus:
      chain.map((link) => readHttpStatus(link.error)).find((status) => status !== undefined) ?? null,
    message,
    stack: frames.length === 0 ? null : `${name}: ${message}\n${formatFrames(frames)}`,
    causes: chain.slice(1).map(describeCause),
    fingerprint: fingerprintOf({ category, class: name, code: codeOf(error), message, frames }),
    retryable: isRetryable(error),
  };
}

function codeOf(error: unknown): string | null {
  const code = readText(error, 'code');
  return code === undefined ? null : clean(code, MAX_NAME);
}

function describeCause({ error, member }: ErrorLink): CauseDescription {
  const code = codeOf(error);
  return {
    type: clean(classOf(error), MAX_NAME),
    message: clean(readMessage(error), MAX_MESSAGE),
    ...(code === null ? {} : { code }),
    ...(member === undefined ? {} : { member }),
  };
}
