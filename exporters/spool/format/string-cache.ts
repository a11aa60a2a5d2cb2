/** Longest text that is remembered; what is longer hardly comes twice. */
const MAX_LENGTH = 64;
/** A power of two. */
const PLACES = 4096;

/**
 * Texts that came before, so that names of attributes, hotkeys and statuses, which come in every record, are made once:
 * to compare bytes with a text takes less than to make a text of them, and one text for all takes less memory. It forgets
 * a text when another one needs its place.
 */
export class StringCache {
  readonly #texts: string[] = new Array<string>(PLACES).fill('');

  /** The text of ASCII bytes. */
  textOf(bytes: Buffer, from: number, to: number): string {
    const length = to - from;
    if (length === 0) return '';
    if (length > MAX_LENGTH) return bytes.toString('latin1', from, to);
    const place = placeOf(bytes, from, to);
    const known = this.#texts[place] ?? '';
    if (isTextOf(known, bytes, from, length)) return known;
    const text = bytes.toString('latin1', from, to);
    this.#texts[place] = text;
    return text;
  }
}

function isTextOf(text: string, bytes: Buffer, from: number, length: number): boolean {
  if (text.length !== length) return false;
  for (let index = 0; index < length; index += 1) {
    if (text.charCodeAt(index) !== bytes[from + index]) return false;
  }
  return true;
}

/** Some characters tell texts apart well enough: their last ones, one in the middle, and how many there are. */
function placeOf(bytes: Buffer, from: number, to: number): number {
  const length = to - from;
  const last = bytes[to - 1] ?? 0;
  const before = bytes[to - 2] ?? 0;
  const middle = bytes[from + (length >> 1)] ?? 0;
  const third = bytes[from + ((length * 3) >> 2)] ?? 0;
  return (((last * 31 + before) * 31 + middle) * 31 + third * 7 + length * 961) & (PLACES - 1);
}
