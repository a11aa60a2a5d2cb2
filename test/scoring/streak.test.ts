import { describe, expect, it } from 'vitest';
import { currentStreak, type ForecastOutcome } from '../../src/scoring/streak.ts';

const DAY_MILLIS = 86_400_000;
/** One forecast a day, the oldest first. */
const history = (...outcomes: ForecastOutcome[]) =>
  outcomes.map((outcome, day) => ({ initTimeMillis: day * DAY_MILLIS, outcome }));

describe('currentStreak', () => {
  it('test vector 12: two successes after a failure, however many forecasts are in flight', () => {
    const entries = history('completed', 'failed', 'completed', 'completed', 'in_flight', 'in_flight');
    expect(currentStreak(entries)).toEqual({ consecutiveSuccesses: 2, consecutiveFailures: 0 });
  });

  it('orders by init time, not by the order in which rows were touched', () => {
    const entries = history('completed', 'failed', 'completed', 'completed', 'in_flight');
    expect(currentStreak(entries.reverse())).toEqual({ consecutiveSuccesses: 2, consecutiveFailures: 0 });
  });

  it('counts failures alike', () => {
    expect(currentStreak(history('completed', 'failed', 'failed', 'failed'))).toEqual({
      consecutiveSuccesses: 0,
      consecutiveFailures: 3,
    });
  });

  it('is not broken by a forecast that is still on its way between two finished ones', () => {
    expect(currentStreak(history('completed', 'in_flight', 'completed')).consecutiveSuccesses).toBe(2);
  });

  it('spans the whole history when nothing breaks it', () => {
    expect(currentStreak(history('completed', 'completed')).consecutiveSuccesses).toBe(2);
  });

  it('is nothing while nothing has ended', () => {
    expect(currentStreak(history('in_flight'))).toEqual({ consecutiveSuccesses: 0, consecutiveFailures: 0 });
    expect(currentStreak([])).toEqual({ consecutiveSuccesses: 0, consecutiveFailures: 0 });
  });

  it('gives the same answer for two forecasts of one init time in either order', () => {
    const pair = [
      { initTimeMillis: 0, outcome: 'completed' },
      { initTimeMillis: 0, outcome: 'failed' },
    ] as const;
    const expected = { consecutiveSuccesses: 0, consecutiveFailures: 1 };
    expect(currentStreak(pair)).toEqual(expected);
    expect(currentStreak(pair.toReversed())).toEqual(expected);
  });

  it('leaves its input as it was', () => {
    const entries = history('completed', 'failed');
    const before = structuredClone(entries);
    currentStreak(entries);
    expect(entries).toEqual(before);
  });
});
