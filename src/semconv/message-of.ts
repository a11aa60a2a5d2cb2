/** The message of an error, for people; of anything else that was thrown, the value as text. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
