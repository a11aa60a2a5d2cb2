import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rankScores } from '#scoring/ranking';

/** Ranks of scores whose stored rank differs, so that every forecast is returned. */
const ranksOf = (scores: readonly (number | null)[]) =>
  rankScores(scores.map((score) => ({ score, rank: -1 }))).map(({ rank }) => rank);

const forecast = (minerHotkey: string, score: number | null, rank: number | null = null) => ({
  minerHotkey,
  score,
  rank,
});

describe('rankScores', () => {
  it('equal scores share a rank and the next rank is skipped: 1, 1, 3', () => {
    expect(ranksOf([0.9, 0.9, 0.5])).toEqual([1, 1, 3]);
  });

  it('the ranks are in the order of the input', () => {
    expect(ranksOf([0.1, 0.9, 0.5, 0.9])).toEqual([4, 1, 3, 1]);
  });

  it('a forecast without a finite score has no rank, so that NaN cannot be first', () => {
    expect(ranksOf([null, 0.2, NaN, 0.4, Infinity])).toEqual([null, 2, null, 1, null]);
    expect(ranksOf([])).toEqual([]);
  });

  it('a score of 0 is ranked', () => {
    expect(ranksOf([0, -0, 0.5])).toEqual([2, 2, 1]);
  });

  it('the rank of a score is one more than the number of higher scores', () => {
    const scores = fc.array(fc.option(fc.integer({ min: 0, max: 5 })), { maxLength: 12 });
    fc.assert(
      fc.property(scores, (given) => {
        const better = (score: number) => given.filter((other) => other !== null && other > score).length;
        expect(ranksOf(given)).toEqual(given.map((score) => (score === null ? null : better(score) + 1)));
      }),
      { seed: 6, numRuns: 100 },
    );
  });

  it('ranks follow falling scores, and a tie shares the better rank', () => {
    const ranked = rankScores([forecast('a', 0.2), forecast('b', 0.9), forecast('c', 0.9), forecast('d', 0)]);
    expect(ranked.map(({ minerHotkey, rank }) => [minerHotkey, rank])).toEqual([
      ['a', 3],
      ['b', 1],
      ['c', 1],
      ['d', 4],
    ]);
  });

  it('a forecast that lost its score loses its rank', () => {
    expect(rankScores([forecast('a', null), forecast('b', null, 1)])).toEqual([forecast('b', null, null)]);
  });

  it('a forecast whose rank is unchanged is not returned', () => {
    expect(rankScores([forecast('a', 0.5, 1), forecast('b', 0.4, 2)])).toEqual([]);
  });
});
