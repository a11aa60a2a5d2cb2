/** Instants as ISO 8601 text. The steps of a run name one instant after the other, its T0: its text is made once. */
export class InstantText {
  #millis = NaN;
  #text = '';

  /** @throws RangeError when the date is none */
  of(date: Date): string {
    const millis = date.getTime();
    if (millis === this.#millis) return this.#text;
    this.#text = date.toISOString();
    this.#millis = millis;
    return this.#text;
  }
}
