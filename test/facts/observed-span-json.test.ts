import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeSpan, encodeSpan } from '#facts/observed-span-json';
import { translate } from '#facts/translate';
import { recordedRun } from '../support/recorded-run.ts';
import { endedSpan } from '../support/spans.ts';

describe('the JSON codec of spans', () => {
  it('decodeSpan inverts encodeSpan, so that the translation gives the same fact', () => {
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

  it('encodeSpan keeps numbers that JSON cannot represent', () => {
    const attributes = {
      'weather.score.initial': NaN,
      'weather.score.era5': -Infinity,
      'weather.poll.progress': -0,
    };
    const { attributes: read } = decodeSpan(encodeSpan(endedSpan({ step: 'day1', lead: 12, attributes })));
    expect(Object.is(read['weather.poll.progress'], -0)).toBe(true);
    expect([read['weather.score.initial'], read['weather.score.era5']]).toEqual([NaN, -Infinity]);
  });

  it('encodeSpan escapes members that look like its own tags, so that no sender can break the decoder', () => {
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
