/** The message of an Error; any other thrown value as text. Throws for what has no text: see `readMessage`. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
