import { describe, expect, it } from 'vitest';
import { skillScore } from '#scoring/skill-score';

describe('skillScore', () => {
  it('skillScore is 1 for no error, 0 for the error of the reference, and negative beyond', () => {
    expect(skillScore(0, 4)).toBe(1);
    expect(skillScore(4, 4)).toBe(0);
    expect(skillScore(8, 4)).toBe(-1);
  });

  it('skillScore cannot beat a perfect reference: equalling it is 1, anything else is unknown rather than -Infinity', () => {
    expect(skillScore(0, 0)).toBe(1);
    expect(skillScore(0.1, 0)).toBeNull();
  });

  it('skillScore is unknown when either error is', () => {
    expect(skillScore(null, 1)).toBeNull();
    expect(skillScore(1, null)).toBeNull();
    expect(skillScore(NaN, 1)).toBeNull();
    expect(skillScore(1e308, 1e-308)).toBeNull();
  });
});
