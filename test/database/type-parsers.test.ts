import fc from 'fast-check';
import pg from 'pg';
import { describe, expect, it } from 'vitest';

import { createTypeParsers } from '#database/type-parsers';

const { INT8, NUMERIC } = pg.types.builtins;

/** What a column of this type becomes. */
function parse(oid: typeof INT8, text: string): unknown {
  const parser = createTypeParsers().getTypeParser(oid, 'text') as (value: string) => unknown;
  return parser(text);
}

describe('an int8 column', () => {
  it('an int8 column becomes the same number, for every number that can be held exactly', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (n) => {
        expect(parse(INT8, String(n))).toBe(n === 0 ? 0 : n);
      }),
    );
  });

  it('an int8 column beyond that is an error which says what to do, never a neighbour of the number', () => {
    const beyond = fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n });
    fc.assert(
      fc.property(beyond, fc.boolean(), (n, isNegative) => {
        expect(() => parse(INT8, String(isNegative ? -n : n))).toThrow(/Cast the column to text/);
      }),
    );
  });
});

describe('every other column', () => {
  it('every other column is read as the driver reads it: numeric stays text, for it may hold more digits than a number', () => {
    expect(parse(NUMERIC, '0.10000000000000000000001')).toBe('0.10000000000000000000001');
  });

  it('every other column and the registry that all users of the driver share is left alone', () => {
    createTypeParsers();
    expect((pg.types.getTypeParser(INT8, 'text') as (value: string) => unknown)('7')).toBe('7');
  });
});
