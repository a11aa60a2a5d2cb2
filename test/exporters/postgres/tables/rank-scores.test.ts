import { describe, expect, it } from 'vitest';
import { rankScores } from '../../../../exporters/postgres/tables/rank-scores.ts';

const forecast = (minerHotkey: string, score: number | null, rank: number | null = null) => ({
  minerHotkey,
  score,
  rank,
});

describe('the ranks of a run', () => {
  it('begin with the best, ties alike, and the one after a tie stands behind both', () => {
    const ranked = rankScores([forecast('a', 0.2), forecast('b', 0.9), forecast('c', 0.9), forecast('d', 0)]);
    expect(ranked.map(({ minerHotkey, rank }) => [minerHotkey, rank])).toEqual([
      ['a', 3],
      ['b', 1],
      ['c', 1],
      ['d', 4],
    ]);
  });

  it('are given to scores alone, and taken back where the score is', () => {
    expect(rankScores([forecast('a', null), forecast('b', null, 1)])).toEqual([forecast('b', null, null)]);
  });

  it('that stay as they are need not be written', () => {
    expect(rankScores([forecast('a', 0.5, 1), forecast('b', 0.4, 2)])).toEqual([]);
  });
});
