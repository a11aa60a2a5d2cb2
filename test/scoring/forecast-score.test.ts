import { describe, expect, it } from 'vitest';
import { combinedScore, isDay1Passed, overallForecastScore } from '#scoring/forecast-score';

const vector4 = { leadScores: [0.8, 0.7, 0.6], expectedLeads: 10 };

describe('combinedScore', () => {
  it('combinedScore, test vector 4: three leads of ten give .21 and a completeness of .3', () => {
    const combined = combinedScore(vector4.leadScores, 10);
    expect(combined?.score).toBeCloseTo(0.21, 12);
    expect(combined?.completeness).toBeCloseTo(0.3, 12);
    expect(combined).toMatchObject({ scoredLeads: 3, expectedLeads: 10 });
    expect(combined?.sum).toBeCloseTo(2.1, 12);
  });

  it('combinedScore, test vector 14: leads .8 and .6 give .14 and a completeness of .2, in either order', () => {
    for (const leads of [
      [0.8, 0.6],
      [0.6, 0.8],
      [null, 0.6, null, 0.8],
    ]) {
      expect(combinedScore(leads, 10)?.score).toBeCloseTo(0.14, 12);
      expect(combinedScore(leads, 10)?.completeness).toBeCloseTo(0.2, 12);
    }
  });

  it('combinedScore counts a score of 0 as scored', () => {
    expect(combinedScore([0, 0], 4)).toMatchObject({ score: 0, completeness: 0.5, scoredLeads: 2 });
  });

  it('combinedScore does not count what is not finite, where a clamp would have made it a perfect score', () => {
    expect(combinedScore([NaN, Infinity, -Infinity, null], 4)).toBeNull();
    expect(combinedScore([NaN, 0.5], 2)).toMatchObject({ score: 0.25, completeness: 0.5 });
  });

  it('combinedScore clamps each lead to 0 and 1 before the sum', () => {
    expect(combinedScore([1.5, -2], 2)?.score).toBe(0.5);
  });

  it('combinedScore uses the configured number of leads, and never fewer than were scored', () => {
    expect(combinedScore([0.5], 2)?.score).toBe(0.25);
    expect(combinedScore([1, 1, 1], 2)).toMatchObject({ score: 1, completeness: 1, expectedLeads: 3 });
  });

  it.each([0, -1, 2.5, NaN])('combinedScore refuses to expect %d leads', (expected) => {
    expect(() => combinedScore([0.5], expected)).toThrow(RangeError);
  });
});

describe('overallForecastScore', () => {
  it('overallForecastScore, test vector 4: .2495 with day one passed, .1995 without', () => {
    expect(overallForecastScore({ ...vector4, day1Score: 0.5 })).toBeCloseTo(0.2495, 12);
    expect(overallForecastScore({ ...vector4, day1Score: 0.05 })).toBeCloseTo(0.1995, 12);
  });

  it('overallForecastScore takes an unknown day one for not passed', () => {
    expect(overallForecastScore({ ...vector4, day1Score: null })).toBeCloseTo(0.1995, 12);
    expect(overallForecastScore({ ...vector4, day1Score: NaN })).toBeCloseTo(0.1995, 12);
  });

  it('overallForecastScore scores a forecast by day one alone until a lead is scored', () => {
    expect(overallForecastScore({ leadScores: [], expectedLeads: 10, day1Score: 0.1 })).toBe(0.05);
    expect(overallForecastScore({ leadScores: [null], expectedLeads: 10, day1Score: 0 })).toBe(0);
  });

  it('overallForecastScore has no score when nothing is known, which is not a score of 0', () => {
    expect(overallForecastScore({ leadScores: [], expectedLeads: 10, day1Score: null })).toBeNull();
    expect(overallForecastScore({ leadScores: [NaN], expectedLeads: 10, day1Score: -Infinity })).toBeNull();
  });

  it('overallForecastScore gives a perfect forecast 1', () => {
    const leadScores = Array.from({ length: 10 }, () => 1);
    expect(overallForecastScore({ leadScores, expectedLeads: 10, day1Score: 1 })).toBe(1);
  });
});

describe('isDay1Passed', () => {
  it('isDay1Passed asks for .1 and does not take -Infinity or Infinity for a score', () => {
    expect([0.1, 0.0999, 0, -Infinity, Infinity, null].map(isDay1Passed)).toEqual([
      true,
      false,
      false,
      false,
      false,
      false,
    ]);
  });
});
