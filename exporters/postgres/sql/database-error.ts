/**
 * Classes of SQLSTATE in which the rows themselves are refused, so that trying again cannot help: feature not
 * supported, cardinality, data, integrity constraint, syntax or a missing table, and what exceeds a limit of the
 * program, as a text does that is too long for the index on it.
 */
const REFUSING_CLASSES = ['0A', '21', '22', '23', '42', '44', '54'];

/**
 * What making the rows throws, of a value that nobody thought of: an instant beyond the calendar, an id that is none.
 */
const OWN_MISTAKES = [TypeError, RangeError, SyntaxError];

/**
 * Whether the same rows may be written later: connection lost, server shutting down, deadlock, serialization failure,
 * read-only replica, no disk space, no memory. What is no error of PostgreSQL at all is an error of the connection.
 */
export function isRetryableDatabaseError(error: unknown): boolean {
  if (!(error instanceof Error)) return true;
  if (OWN_MISTAKES.some((mistake) => error instanceof mistake)) return false;
  const code = sqlStateOf(error);
  return code === null || isMissingPartition(error) || !REFUSING_CLASSES.includes(code.slice(0, 2));
}

/** The SQLSTATE of an error of PostgreSQL; null for an error of anything else. */
export function sqlStateOf(error: Error): string | null {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return /^[0-9A-Z]{5}$/.test(code) ? code : null;
}

/**
 * Whether a partition was dropped that the writer knew. It has the code of a broken check constraint, and the words
 * depend on the language of the server; only the place in the server's sources identifies it.
 */
const isMissingPartition = (error: Error): boolean =>
  'routine' in error && error.routine === 'ExecFindPartition';
