import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { combinedScore, isDay1Passed, overallForecastScore } from '#scoring/forecast-score';

const vector4 = { leadScores: [0.8, 0.7, 0.6], expectedLeads: 10 };

describe('combinedScore', () => {
  it('three scored leads of ten give a combined score of .21 and a completeness of .3 (test vector 4)', () => {
    const combined = combinedScore(vector4.leadScores, 10);
    expect(combined?.score).toBeCloseTo(0.21, 12);
    expect(combined?.completeness).toBeCloseTo(0.3, 12);
    expect(combined).toMatchObject({ scoredLeads: 3, expectedLeads: 10 });
    expect(combined?.sum).toBeCloseTo(2.1, 12);
  });

  it('lead scores .8 and .6 of ten leads give .14 and completeness .2 in either order (test vector 14)', () => {
    for (const leads of [
      [0.8, 0.6],
      [0.6, 0.8],
      [null, 0.6, null, 0.8],
    ]) {
      expect(combinedScore(leads, 10)?.score).toBeCloseTo(0.14, 12);
      expect(combinedScore(leads, 10)?.completeness).toBeCloseTo(0.2, 12);
    }
  });

  it('a combined score is never above the best lead, nor below the worst of a complete forecast', () => {
    expect((0.1 + 0.1 + 0.1) / 3).toBeGreaterThan(0.1);
    const score = fc.double({ min: 0, max: 1, noNaN: true });
    const leads = fc.oneof(
      fc.array(score, { minLength: 1, maxLength: 10 }),
      fc
        .tuple(score, fc.integer({ min: 1, max: 10 }))
        .map(([lead, count]) => Array<number>(count).fill(lead)),
    );
    fc.assert(
      fc.property(leads, fc.integer({ min: 0, max: 3 }), (scores, missing) => {
        const combined = combinedScore(scores, scores.length + missing)?.score;
        expect(combined).toBeLessThanOrEqual(Math.max(...scores));
        expect(combined).toBeGreaterThanOrEqual(missing > 0 ? 0 : Math.min(...scores));
      }),
    );
    expect(combinedScore([0.1, 0.1, 0.1], 3)?.score).toBe(0.1);
  });

  it('a lead score of 0 counts as scored', () => {
    expect(combinedScore([0, 0], 4)).toMatchObject({ score: 0, completeness: 0.5, scoredLeads: 2 });
  });

  it('a lead score that is not finite is not counted, although clamping would make it perfect', () => {
    expect(combinedScore([NaN, Infinity, -Infinity, null], 4)).toBeNull();
    expect(combinedScore([NaN, 0.5], 2)).toMatchObject({ score: 0.25, completeness: 0.5 });
  });

  it('each lead score is clamped to [0, 1] before summation', () => {
    expect(combinedScore([1.5, -2], 2)?.score).toBe(0.5);
  });

  it('the denominator is the expected number of leads, and at least the number of scored ones', () => {
    expect(combinedScore([0.5], 2)?.score).toBe(0.25);
    expect(combinedScore([1, 1, 1], 2)).toMatchObject({ score: 1, completeness: 1, expectedLeads: 3 });
  });

  it.each([0, -1, 2.5, NaN])('an expected number of %d leads is a RangeError', (expected) => {
    expect(() => combinedScore([0.5], expected)).toThrow(RangeError);
  });
});

describe('overallForecastScore', () => {
  it('the score .95 combined + .05 day one is .2495 with day one passed, .1995 without (test vector 4)', () => {
    expect(overallForecastScore({ ...vector4, day1Score: 0.5 })).toBeCloseTo(0.2495, 12);
    expect(overallForecastScore({ ...vector4, day1Score: 0.05 })).toBeCloseTo(0.1995, 12);
  });

  it('an unknown day-one score counts as not passed', () => {
    expect(overallForecastScore({ ...vector4, day1Score: null })).toBeCloseTo(0.1995, 12);
    expect(overallForecastScore({ ...vector4, day1Score: NaN })).toBeCloseTo(0.1995, 12);
  });

  it('a forecast without a scored lead is scored by day one alone', () => {
    expect(overallForecastScore({ leadScores: [], expectedLeads: 10, day1Score: 0.1 })).toBe(0.05);
    expect(overallForecastScore({ leadScores: [null], expectedLeads: 10, day1Score: 0 })).toBe(0);
  });

  it('a forecast without any score has null, which is not a score of 0', () => {
    expect(overallForecastScore({ leadScores: [], expectedLeads: 10, day1Score: null })).toBeNull();
    expect(overallForecastScore({ leadScores: [NaN], expectedLeads: 10, day1Score: -Infinity })).toBeNull();
  });

  it('a perfect forecast scores exactly 1', () => {
    const leadScores = Array.from({ length: 10 }, () => 1);
    expect(overallForecastScore({ leadScores, expectedLeads: 10, day1Score: 1 })).toBe(1);
  });
});

describe('isDay1Passed', () => {
  it('day one is passed from .1 on, and an infinity is not a score', () => {
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
