/** How long a process may take to end by itself once its work is done, milliseconds. */
const PATIENCE_MILLIS = 1000;

/**
 * Ends a process whose work is done, even if something that was let go of would keep it alive: a request that nobody
 * answers, a timer. What was written to pipes is out by then.
 */
export function endSoon(): void {
  setTimeout(() => process.exit(), PATIENCE_MILLIS).unref();
}
