import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Adjustments, cleanAttribute, cleanJson, cleanNumber, cleanText } from '#facts/clean-value';

const cleaned = (value: unknown): readonly [unknown, Readonly<Record<string, number>>] => {
  const adjustments = new Adjustments();
  return [cleanJson(value, adjustments), adjustments.toRecord()];
};

describe('cleanJson', () => {
  it.each([
    ['NaN', NaN, null, { not_finite: 1 }],
    ['Infinity', -Infinity, null, { not_finite: 1 }],
    ['negative zero', -0, 0, { negative_zero: 1 }],
    ['a big integer that a number holds', 42n, 42, { big_integer: 1 }],
    ['a big integer that no number holds', 2n ** 70n, '1180591620717411303424', { big_integer: 1 }],
    ['a date', new Date('2026-11-23T00:00:00Z'), '2026-11-23T00:00:00.000Z', { date: 1 }],
    ['an invalid date', new Date(NaN), null, { not_finite: 1 }],
    ['a NUL byte', 'a\0b', 'a\uFFFDb', { nul_byte: 1 }],
    ['a lone surrogate', 'a\uD800b', 'a\uFFFDb', { lone_surrogate: 1 }],
    ['a whole pair', '🌦', '🌦', {}],
    ['a function', () => 1, null, {}],
    [
      'an object',
      { a: [NaN, undefined], b: undefined, c: 'x\0' },
      { a: [null, null], c: 'x\uFFFD' },
      { not_finite: 1, nul_byte: 1 },
    ],
  ])('cleanJson adjusts %s to a storable value, and counts the reasons', (_name, value, kept, reasons) => {
    const [clean, counted] = cleaned(value);
    expect(clean).toEqual(kept);
    expect(Object.is(clean, -0)).toBe(false);
    expect(counted).toEqual(reasons);
  });

  it('cleanJson cuts values that are nested too deep instead of overflowing the stack', () => {
    const nested: Record<string, unknown> = {};
    nested['again'] = nested;
    expect(cleaned(nested)[1]).toEqual({ too_deep: 1 });
  });

  it('cleanJson always gives text that PostgreSQL accepts as jsonb', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withDate: true, withSparseArray: true }), (value) => {
        const [clean] = cleaned(value);
        const text = JSON.stringify(clean);
        expect(JSON.parse(text)).toEqual(clean);
        expect(text).not.toMatch(/\\u0000|\\ud[89a-f]/i);
      }),
    );
  });
});

describe('cleanText', () => {
  it('cleanText cuts long text without splitting a surrogate pair, and counts it', () => {
    const adjustments = new Adjustments();
    expect(cleanText('abc🌦def', adjustments, 5)).toBe('abc…');
    expect(cleanText('abcde', adjustments, 5)).toBe('abcde');
    expect(adjustments.toRecord()).toEqual({ text_too_long: 1 });
  });
});

describe('cleanAttribute', () => {
  it('cleanAttribute turns an object into its JSON text, since a span attribute has no object', () => {
    const adjustments = new Adjustments();
    expect(cleanAttribute({ cycles: ['00Z'], bytes: NaN }, adjustments)).toBe(
      '{"cycles":["00Z"],"bytes":null}',
    );
    expect(adjustments.toRecord()).toEqual({ not_finite: 1, object: 1 });
  });

  it('cleanAttribute leaves finite numbers as they are', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(cleanNumber(value, new Adjustments())).toBe(value === 0 ? 0 : value);
      }),
    );
  });
});
