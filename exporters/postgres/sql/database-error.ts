import { isError } from '#semconv/message-of';

/**
 * Classes of SQLSTATE that refuse the rows themselves, so that a retry cannot help: feature not supported, cardinality,
 * data, integrity constraint, syntax or missing table, program limit exceeded (a text too long for its index).
 */
const NON_RETRYABLE_CLASSES = ['0A', '21', '22', '23', '42', '44', '54'];

/** Errors of building the rows from an unforeseen value: an instant beyond the calendar, a malformed id. */
const PROGRAMMING_ERRORS = [TypeError, RangeError, SyntaxError];

/**
 * Whether a retry of the same rows may succeed: connection lost, server shutting down, deadlock, serialization failure,
 * read-only replica, no disk space, no memory. An error without a SQLSTATE counts as one of the connection.
 */
export function isRetryableDatabaseError(error: unknown): boolean {
  if (!isError(error)) return true;
  if (PROGRAMMING_ERRORS.some((errorClass) => error instanceof errorClass)) return false;
  const code = sqlStateOf(error);
  return code === null || isMissingPartition(error) || !NON_RETRYABLE_CLASSES.includes(code.slice(0, 2));
}

/** The SQLSTATE of a PostgreSQL error; null for any other error. */
export function sqlStateOf(error: Error): string | null {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return /^[0-9A-Z]{5}$/.test(code) ? code : null;
}

/**
 * Whether the partition of a row is missing: retention dropped one that the writer had cached as existing. The SQLSTATE
 * is that of a check constraint and the message is localized, so only the server's routine name identifies it.
 */
const isMissingPartition = (error: Error): boolean =>
  'routine' in error && error.routine === 'ExecFindPartition';
