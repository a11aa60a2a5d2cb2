import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { competitionRanks } from '../../src/scoring/ranking.ts';

describe('competitionRanks', () => {
  it('lets equal scores share a rank and leaves the next one out: 1, 1, 3', () => {
    expect(competitionRanks([0.9, 0.9, 0.5])).toEqual([1, 1, 3]);
  });

  it('answers in the order of the input', () => {
    expect(competitionRanks([0.1, 0.9, 0.5, 0.9])).toEqual([4, 1, 3, 1]);
  });

  it('ranks nobody without a score, so that a NaN cannot take the first place', () => {
    expect(competitionRanks([null, 0.2, NaN, 0.4, Infinity])).toEqual([null, 2, null, 1, null]);
    expect(competitionRanks([])).toEqual([]);
  });

  it('ranks a score of 0', () => {
    expect(competitionRanks([0, -0, 0.5])).toEqual([2, 2, 1]);
  });

  it('gives each score one more than the number of better ones', () => {
    const scores = fc.array(fc.option(fc.integer({ min: 0, max: 5 })), { maxLength: 12 });
    fc.assert(
      fc.property(scores, (given) => {
        const better = (score: number) => given.filter((other) => other !== null && other > score).length;
        expect(competitionRanks(given)).toEqual(
          given.map((score) => (score === null ? null : better(score) + 1)),
        );
      }),
      { seed: 6, numRuns: 100 },
    );
  });
});
