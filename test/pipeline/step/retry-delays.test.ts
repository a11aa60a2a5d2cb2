import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cappedDelay,
  delayAfter,
  exponentialDelay,
  linearDelay,
  type DelayRule,
} from '#pipeline/step/retry-delays';

const attempts = [1, 2, 3, 4, 5];
const minutes = (rule: DelayRule, count: number): number[] =>
  attempts.slice(0, count).map((attempt) => delayAfter(rule, attempt) / 60);

describe('retry delays, test vector 9', () => {
  it('an exponential delay doubles from the base: 1800, 3600, 7200, 14400, 28800 s', () => {
    expect(attempts.map((n) => exponentialDelay(1800, n))).toEqual([1800, 3600, 7200, 14400, 28800]);
  });

  it('a linear delay grows by the base: 1800, 3600, 5400 s', () => {
    expect(attempts.slice(0, 3).map((n) => linearDelay(1800, n))).toEqual([1800, 3600, 5400]);
  });

  it.each([
    ['verify', 60, [30, 60, 60]],
    ['day1', 120, [30, 60, 120, 120]],
    ['era5', 180, [30, 60, 120, 180, 180]],
  ])('the delay of %s is capped at %i minutes', (_step, capMinutes, expected) => {
    const rule = { kind: 'exponential', baseSeconds: 1800, capSeconds: capMinutes * 60 } as const;
    expect(minutes(rule, expected.length)).toEqual(expected);
  });
});

describe('delayAfter', () => {
  it('the last of listed delays repeats for every further attempt', () => {
    const rule = { kind: 'listed', seconds: [60, 300, 900] } as const;
    expect(attempts.map((n) => delayAfter(rule, n))).toEqual([60, 300, 900, 900, 900]);
  });

  it('a fixed delay is the same after every attempt', () => {
    expect(attempts.map((n) => delayAfter({ kind: 'fixed', seconds: 300 }, n))).toEqual(
      attempts.map(() => 300),
    );
  });

  it('a linear delay is capped too, and a rule without a cap has no limit', () => {
    expect(delayAfter({ kind: 'linear', baseSeconds: 60, capSeconds: 100 }, 2)).toBe(100);
    expect(cappedDelay(1e9)).toBe(1e9);
  });

  it.each([0, -1, 1.5, Number.NaN])(
    'the attempt %d is rejected, because attempts are counted from 1',
    (attempt) => {
      expect(() => delayAfter({ kind: 'fixed', seconds: 1 }, attempt)).toThrow(RangeError);
    },
  );

  it('a delay never shrinks from one attempt to the next', () => {
    const rule = fc.oneof(
      fc.record({ kind: fc.constant('linear' as const), baseSeconds: fc.nat(1e4), capSeconds: fc.nat(1e5) }),
      fc.record({
        kind: fc.constant('exponential' as const),
        baseSeconds: fc.nat(1e4),
        capSeconds: fc.nat(1e5),
      }),
    );
    fc.assert(
      fc.property(rule, fc.integer({ min: 1, max: 40 }), (one, attempt) => {
        expect(delayAfter(one, attempt + 1)).toBeGreaterThanOrEqual(delayAfter(one, attempt));
      }),
    );
  });
});
