/** The code of an error of the file system; no `instanceof`, because in jest errors of Node are of another realm. */
export const errorCodeOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
