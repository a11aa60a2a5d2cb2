import { describe, expect, it } from 'vitest';
import { finiteOrNull } from '#scoring/mean';

describe('finiteOrNull', () => {
  it('a finite number, including 0, is unchanged, and everything else becomes null', () => {
    expect([0, -1.5, NaN, Infinity, -Infinity, null, undefined].map(finiteOrNull)).toEqual([
      0,
      -1.5,
      null,
      null,
      null,
      null,
      null,
    ]);
  });
});
