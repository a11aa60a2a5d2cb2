import { describe, expect, it } from 'vitest';
import { clampToUnit, skillScore } from '#scoring/skill-score';

describe('clampToUnit', () => {
  it('a value within [0, 1] is unchanged, and one outside is moved to the nearer bound', () => {
    expect([-0.5, 0, 0.25, 1, 1.5].map(clampToUnit)).toEqual([0, 0, 0.25, 1, 1]);
  });
});

describe('skillScore', () => {
  it('the skill 1 - mse / reference is 1 for no error, 0 at the reference, and negative beyond', () => {
    expect(skillScore(0, 4)).toBe(1);
    expect(skillScore(4, 4)).toBe(0);
    expect(skillScore(8, 4)).toBe(-1);
  });

  it('the skill against a perfect reference is 1 for mse 0 and null otherwise, never -Infinity', () => {
    expect(skillScore(0, 0)).toBe(1);
    expect(skillScore(0.1, 0)).toBeNull();
  });

  it('the skill is null when either error is unknown', () => {
    expect(skillScore(null, 1)).toBeNull();
    expect(skillScore(1, null)).toBeNull();
    expect(skillScore(NaN, 1)).toBeNull();
    expect(skillScore(1e308, 1e-308)).toBeNull();
  });
});
