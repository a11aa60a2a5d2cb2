/** Also of another realm: in jest, errors of Node itself are no instances of the `Error` that a module sees. */
export const isError = (value: unknown): value is Error =>
  value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';

/** The message of an Error; any other thrown value as text. Throws for what has no text: see `readMessage`. */
export const messageOf = (error: unknown): string => (isError(error) ? error.message : String(error));
