import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeSpan, encodeSpan } from '#facts/observed-span-json';
import { translate } from '#facts/translate';
import { recordedRun } from '../support/recorded-run.ts';
import { endedSpan } from '../support/spans.ts';

describe('a span as JSON', () => {
  it('a span as JSON comes out as it went in, so that the translation cannot tell the difference', () => {
    fc.assert(
      fc.property(recordedRun, (spans) => {
        for (const span of spans) {
          const read = decodeSpan(encodeSpan(span));
          expect(read).toEqual(span);
          expect(translate(read)).toEqual(translate(span));
        }
      }),
      { numRuns: 50 },
    );
  });

  it('a span as JSON keeps numbers that JSON cannot say', () => {
    const attributes = {
      'weather.score.initial': NaN,
      'weather.score.era5': -Infinity,
      'weather.poll.progress': -0,
    };
    const { attributes: read } = decodeSpan(encodeSpan(endedSpan({ step: 'day1', lead: 12, attributes })));
    expect(Object.is(read['weather.poll.progress'], -0)).toBe(true);
    expect([read['weather.score.initial'], read['weather.score.era5']]).toEqual([NaN, -Infinity]);
  });

  it('a span as JSON keeps members that look like what it writes itself, which a sender may have chosen to break the reading', () => {
    const attributes = {
      a: { $bigint: 'no number' },
      b: { $number: 'NaN', $object: [1] },
      c: { $object: { $bigint: '7' } },
      d: [{ $object: 5n }],
    };
    const { attributes: read } = decodeSpan(encodeSpan(endedSpan({ step: 'query', attributes })));
    expect(read).toMatchObject(attributes);
  });
});
