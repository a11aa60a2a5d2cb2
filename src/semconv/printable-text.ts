/**
 * What a terminal obeys, what reorders a line, and what is not seen: C0 and C1 controls, bidi controls, zero-width and
 * other ignorable characters, separators of lines, half surrogates.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{DI}]/gu;

/** The same class for RE2, the regular expressions of Prometheus, which know no ignorable characters as such. */
export const UNPRINTABLE_RE2 = String.raw`[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\x{034f}\x{115f}\x{1160}\x{3164}\x{ffa0}\x{fe00}-\x{fe0f}]`;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

const escapeUnit = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** As JSON escapes it, so that the escape within a JSON document stands for the same character. */
const escapeCharacter = (character: string): string =>
  SHORT[character] ?? character.split('').map(escapeUnit).join('');

/**
 * Text of others on one line of a terminal, log, alert note or report: every character that could act on it, or hide in
 * it, becomes a visible escape such as `\u001b`. Idempotent. With a length, what is longer ends in an ellipsis.
 */
export function printableText(text: string, maxLength = Infinity): string {
  const printable = text.replace(UNPRINTABLE, escapeCharacter);
  return printable.length <= maxLength ? printable : `${printable.slice(0, maxLength - 1).toWellFormed()}…`;
}

/** The same for a text of several lines, which are our own: line breaks within texts of others are escaped before. */
export const printableLines = (text: string): string =>
  text
    .split('\n')
    .map((line) => printableText(line))
    .join('\n');

/** Text of others on one line, to be stored: what is not printed, and any white space, becomes one space. */
export const onOneLine = (text: string): string => text.replace(UNPRINTABLE, ' ').replace(/\s+/g, ' ');

/** `printableText` for all texts and keys of a report before it is formatted. Other values stay as they are. */
export function printableValue<Value>(value: Value): Value {
  return toPrintable(value) as Value;
}

function toPrintable(value: unknown): unknown {
  if (typeof value === 'string') return printableText(value);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (Array.isArray(value)) return value.map(toPrintable);
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [printableText(key), toPrintable(member)]),
  );
}
