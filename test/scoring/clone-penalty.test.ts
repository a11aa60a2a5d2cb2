import { describe, expect, it } from 'vitest';
import { CLONE_THRESHOLDS, clonePenalty } from '#scoring/clone-penalty';

const threshold = CLONE_THRESHOLDS['2t'] ?? NaN;

describe('clonePenalty', () => {
  it('clonePenalty, test vector 6: takes .6 off at a distance of .001 for 2t, and nothing at the threshold', () => {
    expect(clonePenalty(0.001, threshold)).toBeCloseTo(0.6, 12);
    expect(clonePenalty(0.0025, threshold)).toBe(0);
  });

  it('clonePenalty takes the whole of gamma off an exact copy', () => {
    expect(clonePenalty(0, 400)).toBe(1);
    expect(clonePenalty(0, 400, { gamma: 0.5 })).toBe(0.5);
  });

  it('clonePenalty takes nothing off a forecast of its own, however far away', () => {
    expect(clonePenalty(1e9, 100)).toBe(0);
  });

  it('clonePenalty does not know the penalty of an unknown distance', () => {
    expect(clonePenalty(null, 100)).toBeNull();
    expect(clonePenalty(NaN, 100)).toBeNull();
    expect(clonePenalty(Infinity, 100)).toBeNull();
  });

  it('clonePenalty refuses numbers that make no sense, for a wrong threshold would punish or excuse everybody', () => {
    expect(() => clonePenalty(1, 0)).toThrow(RangeError);
    expect(() => clonePenalty(1, NaN)).toThrow(RangeError);
    expect(() => clonePenalty(1, 1, { gamma: -1 })).toThrow(/gamma/);
    expect(() => clonePenalty(-1, 1)).toThrow(/got -1/);
  });

  it('clonePenalty has a threshold for each variable of day one and for no other', () => {
    expect(CLONE_THRESHOLDS).toEqual({ '2t': 0.0025, msl: 400, '10u': 0.01, '10v': 0.01, z500: 100 });
  });
});
