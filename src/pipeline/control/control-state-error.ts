import { CategorizedError } from '#semconv';
import { messageOf } from '#semconv/message-of';

/**
 * Control state cannot be read or written: the database is gone, or a statement is wrong.
 *
 * It is no failure of the step, so no retry policy handles it: it propagates out of the step, and the queue delivers the
 * job again.
 */
export class ControlStateError extends CategorizedError {
  constructor(cause: unknown) {
    const reason = messageOf(cause);
    super('validator_internal', `Control state is unavailable: ${reason}. The step is done again.`, {
      cause,
      retryable: true,
    });
    this.name = 'ControlStateError';
  }
}

/** Reads or writes control state. @throws ControlStateError with the original error as its cause */
export async function withControlState<Result>(access: () => Promise<Result>): Promise<Result> {
  try {
    return await access();
  } catch (error) {
    throw error instanceof ControlStateError ? error : new ControlStateError(error);
  }
}
