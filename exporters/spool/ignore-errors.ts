/** Best-effort I/O: a lost cursor costs a repeated, idempotent delivery; lost books are recounted from the records. */
export function ignoreErrors(work: () => void): void {
  try {
    work();
  } catch {
    // When the disk has failed, the appends fail as well and are counted.
  }
}
