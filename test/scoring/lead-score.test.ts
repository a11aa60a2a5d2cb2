import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leadParts, leadScore } from '#scoring/lead-score';

const vector3 = { skills: [0.8, 0.4, -0.2, 1], accs: [0.95, 0.8, 0.1, 0.99], rmses: [2, 3, 150, 900] };

describe('leadScore', () => {
  it('the lead score with RMSE against the upper median is .6517522851 (test vector 3)', () => {
    const parts = leadParts(vector3);
    expect(parts.skillNorm).toBeCloseTo(0.55, 12);
    expect(parts.accNorm).toBeCloseTo(0.855, 12);
    expect(parts.rmseNorm).toBeCloseTo(0.6525228513, 9);
    expect(leadScore(vector3)).toBeCloseTo(0.6517522851, 9);
  });

  it('each RMSE is compared with its own reference, so that large units do not dominate', () => {
    const parts = leadParts({ ...vector3, rmseReferences: [2, 1, 150, 300] });
    expect(parts.rmseNorm).toBeCloseTo((0.5 + 0.25 + 0.5 + 0.25) / 4, 12);
  });

  it('the lead score with references does not depend on the units of the variables', () => {
    const metres = { ...vector3, rmseReferences: [2, 1, 150, 300] };
    const scaled = { ...metres, rmses: [2, 3, 150, 9000], rmseReferences: [2, 1, 150, 3000] };
    expect(leadScore(scaled)).toBeCloseTo(leadScore(metres) ?? NaN, 12);
  });

  it('an RMSE without a known reference is left out, and a reference of 0 counts as a ratio of 1', () => {
    const parts = leadParts({ skills: [], accs: [], rmses: [1, 5, 7], rmseReferences: [3, null, 0] });
    expect(parts).toEqual({ skillNorm: null, accNorm: null, rmseNorm: (0.75 + 0.5) / 2 });
  });

  it('every RMSE term is one half when the median is 0', () => {
    expect(leadParts({ skills: [], accs: [], rmses: [0, 0, 0] }).rmseNorm).toBe(0.5);
  });

  it('the weights without RMSE are .6 skill + .4 acc', () => {
    expect(leadScore({ skills: [0.5], accs: [0], rmses: [] })).toBeCloseTo(0.6 * 0.5 + 0.4 * 0.5, 12);
  });

  it('a single known part is the lead score itself', () => {
    expect(leadScore({ skills: [0.7], accs: [], rmses: [] })).toBeCloseTo(0.7, 12);
    expect(leadScore({ skills: [], accs: [0.4], rmses: [] })).toBeCloseTo(0.7, 12);
    expect(leadScore({ skills: [], accs: [], rmses: [4], rmseReferences: [4] })).toBeCloseTo(0.5, 12);
  });

  it('the weights are rescaled to sum to 1 when another part is missing', () => {
    const rmse = { rmses: [1], rmseReferences: [1] };
    expect(leadScore({ skills: [1], accs: [], ...rmse })).toBeCloseTo(0.65 / 0.7, 12);
    expect(leadScore({ skills: [], accs: [1], ...rmse })).toBeCloseTo(0.35 / 0.4, 12);
  });

  it('metrics that are not finite are removed before clamping, so that NaN cannot become a perfect score', () => {
    expect(leadScore({ skills: [NaN, 0.5], accs: [null, Infinity], rmses: [NaN] })).toBeCloseTo(0.5, 12);
    expect(leadScore({ skills: [NaN], accs: [null], rmses: [-Infinity] })).toBeNull();
  });

  it('a lead score of 0 differs from null for no known metric', () => {
    expect(leadScore({ skills: [-1], accs: [-1], rmses: [] })).toBe(0);
    expect(leadScore({ skills: [], accs: [], rmses: [] })).toBeNull();
  });

  it('references whose number differs from the RMSEs are a RangeError', () => {
    expect(() => leadScore({ ...vector3, rmseReferences: [1] })).toThrow(/4 RMSEs and 1 references/);
  });

  it('the lead score of any metrics is within [0, 1]', () => {
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
