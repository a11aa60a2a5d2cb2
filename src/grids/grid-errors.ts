import { isZarritaError } from 'zarrita';
import { CategorizedError, type ErrorCategory } from '#semconv';
import { isError, messageOf } from '#semconv/message-of';

/** The store lacks a valid time. The caller's category distinguishes late truth from a gap in a forecast. */
export class GridTimeMissingError extends CategorizedError {
  readonly validTime: Date;

  constructor(category: ErrorCategory, validTime: Date, available: readonly Date[]) {
    const range =
      available.length === 0
        ? 'no time at all'
        : `${String(available.length)} times from ${iso(available[0])} to ${iso(available.at(-1))}`;
    super(category, `Valid time ${iso(validTime)} is not in the store, which holds ${range}.`, {
      retryable: category === 'truth_not_ready',
    });
    this.name = 'GridTimeMissingError';
    this.validTime = validTime;
  }
}

/** A store that violates its format. Not retryable: a retry reads the same bytes. */
export function invalidStore(message: string, cause?: unknown): CategorizedError {
  return new CategorizedError('invalid_response', message, { cause });
}

/**
 * Maps an error of the Zarr library, thrown while reading `what`, to an error with a category.
 *
 * An error with a category passes unchanged, and so does one with a code, which comes from the system or the network.
 */
export function toGridError(error: unknown, what: string): Error {
  if (error instanceof CategorizedError) return error;
  if (isError(error) && 'code' in error) return error;
  // The library wraps what its codecs throw, ours among them.
  if (isZarritaError(error, 'CodecPipelineError') && error.cause instanceof CategorizedError)
    return error.cause;
  if (isZarritaError(error, 'NotFoundError')) {
    return new CategorizedError('not_found', `${what} is not in the store.`, { cause: error });
  }
  const reason = messageOf(error);
  return invalidStore(`${what} cannot be read: ${reason}. The store must be valid Zarr v2 or v3.`, error);
}

function iso(time: Date | undefined): string {
  return time === undefined || Number.isNaN(time.getTime()) ? 'an invalid date' : time.toISOString();
}
