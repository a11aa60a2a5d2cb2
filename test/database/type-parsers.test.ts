import fc from 'fast-check';
import pg from 'pg';
import { describe, expect, it } from 'vitest';

import { createTypeParsers } from '#database/type-parsers';

const { INT8, NUMERIC } = pg.types.builtins;

/** The JavaScript value of a column of this type. */
function parse(oid: typeof INT8, text: string): unknown {
  const parser = createTypeParsers().getTypeParser(oid, 'text') as (value: string) => unknown;
  return parser(text);
}

describe('int8 column', () => {
  it('an int8 becomes the same number wherever a number is exact', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (n) => {
        expect(parse(INT8, String(n))).toBe(n === 0 ? 0 : n);
      }),
    );
  });

  it('an int8 beyond 2^53 is an error with a remedy, never a rounded number', () => {
    const beyond = fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n });
    fc.assert(
      fc.property(beyond, fc.boolean(), (n, isNegative) => {
        expect(() => parse(INT8, String(isNegative ? -n : n))).toThrow(/Cast the column to text/);
      }),
    );
  });
});

describe('other columns', () => {
  it('other types are parsed by the driver: numeric stays text, which keeps all digits', () => {
    expect(parse(NUMERIC, '0.10000000000000000000001')).toBe('0.10000000000000000000001');
  });

  it('the global type registry of the driver is not modified', () => {
    createTypeParsers();
    expect((pg.types.getTypeParser(INT8, 'text') as (value: string) => unknown)('7')).toBe('7');
  });
});
