/**
 * Classes of SQLSTATE in which the rows themselves are refused, so that trying again cannot help: feature not
 * supported, cardinality, data, integrity constraint, and syntax or a missing table.
 */
const REFUSING_CLASSES = ['0A', '21', '22', '23', '42', '44'];

/**
 * Whether the same rows may be written later: connection lost, server shutting down, deadlock, serialization failure,
 * read-only replica, no disk space, no memory. What is no error of PostgreSQL at all is an error of the connection.
 */
export function isRetryable(error: unknown): boolean {
  if (!(error instanceof Error)) return true;
  if (error instanceof TypeError || error instanceof RangeError) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return !/^[0-9A-Z]{5}$/.test(code) || !REFUSING_CLASSES.includes(code.slice(0, 2));
}
