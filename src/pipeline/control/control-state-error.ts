import { CategorizedError } from '#semconv';
import { messageOf } from '#semconv/message-of';

/**
 * Control state cannot be read or written: the database is gone, or a statement is wrong.
 *
 * No policy looks at it, for it is no failure of the step. It leaves the step, and the queue delivers the job again.
 */
export class ControlStateError extends CategorizedError {
  constructor(cause: unknown) {
    const reason = messageOf(cause);
    super('validator_internal', `Control state is out of reach: ${reason}. The step is done again.`, {
      cause,
      retryable: true,
    });
    this.name = 'ControlStateError';
  }
}

/** Reads or writes control state; wraps every failure in a `ControlStateError`. */
export async function withControlState<Result>(access: () => Promise<Result>): Promise<Result> {
  try {
    return await access();
  } catch (error) {
    throw error instanceof ControlStateError ? error : new ControlStateError(error);
  }
}
