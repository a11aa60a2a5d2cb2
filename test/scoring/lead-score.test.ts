import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leadParts, leadScore } from '#scoring/lead-score';

const vector3 = { skills: [0.8, 0.4, -0.2, 1], accs: [0.95, 0.8, 0.1, 0.99], rmses: [2, 3, 150, 900] };

describe('leadScore', () => {
  it('leadScore, test vector 3: .6517522851, with every RMSE against the upper median', () => {
    const parts = leadParts(vector3);
    expect(parts.skillNorm).toBeCloseTo(0.55, 12);
    expect(parts.accNorm).toBeCloseTo(0.855, 12);
    expect(parts.rmseNorm).toBeCloseTo(0.6525228513, 9);
    expect(leadScore(vector3)).toBeCloseTo(0.6517522851, 9);
  });

  it('leadScore compares each RMSE with its own reference, so that a variable in large units does not drown the others', () => {
    const parts = leadParts({ ...vector3, rmseReferences: [2, 1, 150, 300] });
    expect(parts.rmseNorm).toBeCloseTo((0.5 + 0.25 + 0.5 + 0.25) / 4, 12);
  });

  it('leadScore does not change with the unit of a variable when references are given', () => {
    const metres = { ...vector3, rmseReferences: [2, 1, 150, 300] };
    const scaled = { ...metres, rmses: [2, 3, 150, 9000], rmseReferences: [2, 1, 150, 3000] };
    expect(leadScore(scaled)).toBeCloseTo(leadScore(metres) ?? NaN, 12);
  });

  it('leadScore leaves out an RMSE whose reference is unknown, and treats a reference of 0 as equal', () => {
    const parts = leadParts({ skills: [], accs: [], rmses: [1, 5, 7], rmseReferences: [3, null, 0] });
    expect(parts).toEqual({ skillNorm: null, accNorm: null, rmseNorm: (0.75 + 0.5) / 2 });
  });

  it('leadScore counts all RMSEs half when their median is 0', () => {
    expect(leadParts({ skills: [], accs: [], rmses: [0, 0, 0] }).rmseNorm).toBe(0.5);
  });

  it('leadScore weighs .6 and .4 without RMSE', () => {
    expect(leadScore({ skills: [0.5], accs: [0], rmses: [] })).toBeCloseTo(0.6 * 0.5 + 0.4 * 0.5, 12);
  });

  it('leadScore lets a part that stands alone count as it is', () => {
    expect(leadScore({ skills: [0.7], accs: [], rmses: [] })).toBeCloseTo(0.7, 12);
    expect(leadScore({ skills: [], accs: [0.4], rmses: [] })).toBeCloseTo(0.7, 12);
    expect(leadScore({ skills: [], accs: [], rmses: [4], rmseReferences: [4] })).toBeCloseTo(0.5, 12);
  });

  it('leadScore rescales the weights for another missing part', () => {
    const rmse = { rmses: [1], rmseReferences: [1] };
    expect(leadScore({ skills: [1], accs: [], ...rmse })).toBeCloseTo(0.65 / 0.7, 12);
    expect(leadScore({ skills: [], accs: [1], ...rmse })).toBeCloseTo(0.35 / 0.4, 12);
  });

  it('leadScore filters what is not finite before clamping, so that a NaN cannot become a perfect score', () => {
    expect(leadScore({ skills: [NaN, 0.5], accs: [null, Infinity], rmses: [NaN] })).toBeCloseTo(0.5, 12);
    expect(leadScore({ skills: [NaN], accs: [null], rmses: [-Infinity] })).toBeNull();
  });

  it('leadScore knows a score of 0 from nothing known', () => {
    expect(leadScore({ skills: [-1], accs: [-1], rmses: [] })).toBe(0);
    expect(leadScore({ skills: [], accs: [], rmses: [] })).toBeNull();
  });

  it('leadScore refuses references that do not belong to the RMSEs', () => {
    expect(() => leadScore({ ...vector3, rmseReferences: [1] })).toThrow(/4 RMSEs and 1 references/);
  });

  it('leadScore stays within 0 and 1 for any metrics', () => {
    const numbers = fc.array(fc.oneof(fc.double(), fc.constant(null)), { maxLength: 5 });
    const metrics = fc.record({
      skills: numbers,
      accs: fc.array(fc.double({ min: -1, max: 1 }), { maxLength: 5 }),
      rmses: fc.array(fc.double({ min: 0 }), { maxLength: 5 }),
    });
    fc.assert(
      fc.property(metrics, (given) => {
        const score = leadScore(given);
        if (score !== null) expect(score >= 0 && score <= 1).toBe(true);
      }),
      { seed: 4, numRuns: 200 },
    );
  });
});
