import { describe, expect, it } from 'vitest';
import { clampToUnit } from '#scoring/skill-score';

describe('clampToUnit', () => {
  it('a value within [0, 1] is unchanged, and one outside is moved to the nearer bound', () => {
    expect([-0.5, 0, 0.25, 1, 1.5].map(clampToUnit)).toEqual([0, 0, 0.25, 1, 1]);
  });
});
