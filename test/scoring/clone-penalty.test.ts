import { describe, expect, it } from 'vitest';
import { CLONE_THRESHOLDS, clonePenalty } from '#scoring/clone-penalty';

const threshold = CLONE_THRESHOLDS['2t'] ?? NaN;

describe('clonePenalty', () => {
  it('the penalty gamma (1 - d / D) for 2t is .6 at d = .001 and 0 at the threshold (test vector 6)', () => {
    expect(clonePenalty(0.001, threshold)).toBeCloseTo(0.6, 12);
    expect(clonePenalty(0.0025, threshold)).toBe(0);
  });

  it('the penalty of an exact copy is the whole of gamma', () => {
    expect(clonePenalty(0, 400)).toBe(1);
    expect(clonePenalty(0, 400, { gamma: 0.5 })).toBe(0.5);
  });

  it('the penalty of an independent forecast is 0 at any distance above the threshold', () => {
    expect(clonePenalty(1e9, 100)).toBe(0);
  });

  it('the penalty of an unknown distance is null', () => {
    expect(clonePenalty(null, 100)).toBeNull();
    expect(clonePenalty(NaN, 100)).toBeNull();
    expect(clonePenalty(Infinity, 100)).toBeNull();
  });

  it('a non-positive threshold, a negative gamma or a negative distance is a RangeError', () => {
    expect(() => clonePenalty(1, 0)).toThrow(RangeError);
    expect(() => clonePenalty(1, NaN)).toThrow(RangeError);
    expect(() => clonePenalty(1, 1, { gamma: -1 })).toThrow(/gamma/);
    expect(() => clonePenalty(-1, 1)).toThrow(/got -1/);
  });

  it('CLONE_THRESHOLDS has a threshold for each variable of day one and for no other', () => {
    expect(CLONE_THRESHOLDS).toEqual({ '2t': 0.0025, msl: 400, '10u': 0.01, '10v': 0.01, z500: 100 });
  });
});
