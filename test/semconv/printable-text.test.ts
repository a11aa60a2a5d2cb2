import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  onOneLine,
  printableLines,
  printableText,
  printableValue,
  UNPRINTABLE_RE2,
} from '#semconv/printable-text';

describe('printableText', () => {
  it.each([
    ['an escape sequence', '\u001b[2Jgone\u0007', '\\u001b[2Jgone\\u0007'],
    ['line breaks, which would forge a line', 'a\r\nb\tc', 'a\\r\\nb\\tc'],
    ['a C1 control', 'a\u009b31m', 'a\\u009b31m'],
    ['bidi controls', '\u202eabc\u2066\u200f', '\\u202eabc\\u2066\\u200f'],
    ['zero-width characters', '5F\u200b3\ufeffs\u00ada', '5F\\u200b3\\ufeffs\\u00ada'],
    ['separators of lines', 'a\u2028b\u2029', 'a\\u2028b\\u2029'],
    ['a tag beyond the first plane', 'a\u{e0041}', 'a\\udb40\\udc41'],
    ['half a surrogate pair', 'a\ud800', 'a\\ud800'],
    ['a filler that is no control', 'a\u3164b\ufe0f', 'a\\u3164b\\ufe0f'],
  ])('%s becomes a visible escape', (_name, text, printable) => {
    expect(printableText(text)).toBe(printable);
  });

  it.each(['température 12 °C, m²/s²', '降水', 'مطر', '🌦', 'C:\\new\\table', ''])(
    '%j stays as it is',
    (text) => {
      expect(printableText(text)).toBe(text);
    },
  );

  it('a text that is cut ends in an ellipsis and in no half of a character', () => {
    expect(printableText('abcdef', 4)).toBe('abc…');
    expect(printableText('ab🌦def', 4)).toBe('ab\ufffd…');
  });

  it('it is idempotent, and a JSON document stays the same document', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string({ unit: 'binary' }), (value, text) => {
        expect(printableText(printableText(text))).toBe(printableText(text));
        const document = JSON.stringify({ value, text }, null, 2);
        expect(JSON.parse(printableLines(document))).toEqual(JSON.parse(document));
      }),
      { seed: 20261130 },
    );
  });
});

describe('printableValue', () => {
  it('texts and keys are escaped at any depth, and other values stay as they are', () => {
    const date = new Date(0);
    const printable = printableValue({ 'a\n': [{ b: '\u001b', c: 1, d: null, e: date, f: true }] });
    expect(printable).toEqual({ 'a\\n': [{ b: '\\u001b', c: 1, d: null, e: date, f: true }] });
  });
});

describe('onOneLine', () => {
  it('what is not printed and all white space become one space', () => {
    expect(onOneLine('a\u001b \r\n\u202e\u200bb\u00a0 c')).toBe('a b c');
  });
});

describe('UNPRINTABLE_RE2', () => {
  it('the regular expression of the alerts hides what the function hides, in the first plane', () => {
    const pattern = new RegExp(UNPRINTABLE_RE2.replaceAll(/\\x\{(\w+)\}/g, '\\u{$1}'), 'u');
    for (const character of [
      '\n',
      '\u001b',
      '\u009b',
      '\u202e',
      '\u2066',
      '\u200b',
      '\u2028',
      '\u3164',
      '\ufe0f',
    ])
      expect(pattern.test(character), JSON.stringify(character)).toBe(true);
    for (const character of ['a', ' ', 'é', '5', '-']) expect(pattern.test(character)).toBe(false);
  });
});
