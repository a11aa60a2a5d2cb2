import { describe, expect, it } from 'vitest';
import { clampToUnit } from '#scoring/skill-score';

describe('clampToUnit', () => {
  it('clampToUnit moves only what lies outside 0 and 1', () => {
    expect([-0.5, 0, 0.25, 1, 1.5].map(clampToUnit)).toEqual([0, 0, 0.25, 1, 1]);
  });
});
