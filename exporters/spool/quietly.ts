/** Does what may fail without harm: what was not written down is delivered once more, or counted again from the records. */
export function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // The disk has failed; the records say so themselves.
  }
}
