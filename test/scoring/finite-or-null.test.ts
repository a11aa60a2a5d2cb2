import { describe, expect, it } from 'vitest';
import { finiteOrNull } from '#scoring/mean';

describe('finiteOrNull', () => {
  it('finiteOrNull keeps numbers, 0 among them, and turns all else into null', () => {
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
