import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rankScores } from '#scoring/ranking';

/** The ranks of scores that had another rank before, so that all of them are returned. */
const ranksOf = (scores: readonly (number | null)[]) =>
  rankScores(scores.map((score) => ({ score, rank: -1 }))).map(({ rank }) => rank);

const forecast = (minerHotkey: string, score: number | null, rank: number | null = null) => ({
  minerHotkey,
  score,
  rank,
});

describe('the ranks of a run', () => {
  it('the ranks of a run lets equal scores share a rank and leaves the next one out: 1, 1, 3', () => {
    expect(ranksOf([0.9, 0.9, 0.5])).toEqual([1, 1, 3]);
  });

  it('the ranks of a run answers in the order of the input', () => {
    expect(ranksOf([0.1, 0.9, 0.5, 0.9])).toEqual([4, 1, 3, 1]);
  });

  it('the ranks of a run ranks nobody without a score, so that a NaN cannot take the first place', () => {
    expect(ranksOf([null, 0.2, NaN, 0.4, Infinity])).toEqual([null, 2, null, 1, null]);
    expect(ranksOf([])).toEqual([]);
  });

  it('the ranks of a run ranks a score of 0', () => {
    expect(ranksOf([0, -0, 0.5])).toEqual([2, 2, 1]);
  });

  it('the ranks of a run gives each score one more than the number of better ones', () => {
    const scores = fc.array(fc.option(fc.integer({ min: 0, max: 5 })), { maxLength: 12 });
    fc.assert(
      fc.property(scores, (given) => {
        const better = (score: number) => given.filter((other) => other !== null && other > score).length;
        expect(ranksOf(given)).toEqual(given.map((score) => (score === null ? null : better(score) + 1)));
      }),
      { seed: 6, numRuns: 100 },
    );
  });

  it('the ranks of a run begin with the best, ties alike, and the one after a tie stands behind both', () => {
    const ranked = rankScores([forecast('a', 0.2), forecast('b', 0.9), forecast('c', 0.9), forecast('d', 0)]);
    expect(ranked.map(({ minerHotkey, rank }) => [minerHotkey, rank])).toEqual([
      ['a', 3],
      ['b', 1],
      ['c', 1],
      ['d', 4],
    ]);
  });

  it('the ranks of a run are given to scores alone, and taken back where the score is', () => {
    expect(rankScores([forecast('a', null), forecast('b', null, 1)])).toEqual([forecast('b', null, null)]);
  });

  it('the ranks of a run that stay as they are need not be written', () => {
    expect(rankScores([forecast('a', 0.5, 1), forecast('b', 0.4, 2)])).toEqual([]);
  });
});
