import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clonePenalty } from '#scoring/clone-penalty';
import { day1Score, isCopied, type Day1Variable } from '#scoring/day1-score';

const variable = (given: Partial<Day1Variable> = {}): Day1Variable => ({
  variable: '2t',
  skill: 0.5,
  acc: 0.8,
  clonePenalty: 0,
  cloneDistance: 1,
  threshold: 0.0025,
  sane: true,
  ...given,
});

const withoutThreshold = (given: Partial<Day1Variable>): Day1Variable => {
  const { variable: name, skill, acc, clonePenalty: penalty, cloneDistance, sane } = variable(given);
  return { variable: name, skill, acc, clonePenalty: penalty, cloneDistance, sane };
};

function scored(variables: readonly Day1Variable[]) {
  const result = day1Score(variables);
  if (result.kind !== 'scored') throw new Error(`unscorable: ${result.reason}`);
  return result;
}

describe('day1Score', () => {
  it('the day-one score of five variables is .6 mean skill + .4 mean (acc + 1) / 2 = .5116 (test vector 5)', () => {
    const skills = [0.3, -0.5, 0.6, 0, 0.2];
    const accs = [0.9, 0.85, 0.8, 0.95, 0.99];
    const result = scored(skills.map((skill, index) => variable({ skill, acc: accs[index] ?? null })));
    expect(result.score).toBeCloseTo(0.5116, 12);
    expect(result).toMatchObject({ clamped: false, qcPassed: true });
  });

  it('a distance below D / 2 or any penalty clamps the score to .05 (test vector 6)', () => {
    const near = scored([variable(), variable({ cloneDistance: 0.0012 })]);
    expect(near).toMatchObject({ score: 0.05, clamped: true, qcPassed: false });
    const penalised = scored([variable({ cloneDistance: 0.001, clonePenalty: clonePenalty(0.001, 0.0025) })]);
    expect(penalised).toMatchObject({ score: 0.05, clamped: true });
    expect(scored([variable({ cloneDistance: 0.0025, clonePenalty: 0 })]).clamped).toBe(false);
  });

  it('a copy that scored less than .05 keeps its score', () => {
    const result = scored([variable({ cloneDistance: 0, skill: 0, acc: -0.9 })]);
    expect(result.score).toBeCloseTo(0.02, 12);
  });

  it('the clone penalty is deducted from the skill of its own variable only', () => {
    const result = scored([withoutThreshold({ clonePenalty: 0.3 }), variable()]);
    expect(result.score).toBeCloseTo((0.6 * (0.2 + 0.5)) / 2 + 0.4 * 0.9, 12);
  });

  it('a variable that failed a sanity check counts 0 in both means, so that failing never raises the score', () => {
    const result = scored([variable(), variable({ variable: 'msl', sane: false, skill: 1, acc: 1 })]);
    expect(result.score).toBeCloseTo(scored([variable()]).score / 2, 12);
    expect(result.qcPassed).toBe(false);
  });

  it('an unknown metric of a sane variable is left out of its mean, and quality control fails', () => {
    const result = scored([variable(), variable({ skill: null }), variable({ acc: NaN })]);
    expect(result.score).toBeCloseTo(0.6 * 0.5 + 0.4 * 0.9, 12);
    expect(result.qcPassed).toBe(false);
  });

  it('a metric that no variable has counts 0 in the score', () => {
    expect(scored([variable({ skill: null, acc: 0 })]).score).toBeCloseTo(0.2, 12);
    expect(scored([variable({ acc: null })]).score).toBeCloseTo(0.3, 12);
  });

  it('a score of 0 is scored, and no finite metric is unscorable', () => {
    expect(scored([variable({ sane: false })]).score).toBe(0);
    expect(scored([variable({ skill: -3, acc: -1 })]).score).toBe(0);
    expect(day1Score([])).toEqual({ kind: 'unscorable', reason: 'no_variables' });
    expect(day1Score([variable({ skill: null, acc: null })])).toEqual({
      kind: 'unscorable',
      reason: 'no_finite_metric',
    });
    expect(day1Score([variable({ skill: -Infinity, acc: NaN })]).kind).toBe('unscorable');
  });

  it('the score stays within [0, 1] and never rises when a variable fails its checks', () => {
    const metric = fc.option(fc.double({ min: -1, max: 1, noNaN: true }));
    const variables = fc.array(
      fc.record({ skill: metric, acc: metric, sane: fc.boolean() }).map((given) => variable(given)),
      { minLength: 1, maxLength: 6 },
    );
    fc.assert(
      fc.property(variables, (given) => {
        const result = day1Score(given);
        if (result.kind === 'unscorable') return;
        expect(result.score).toBeGreaterThanOrEqual(0);
        expect(result.score).toBeLessThanOrEqual(1);
        const known = given.map((each) => ({ ...each, skill: each.skill ?? 0, acc: each.acc ?? 0 }));
        const failed = known.map((each, index) => (index === 0 ? { ...each, sane: false } : each));
        expect(scored(failed).score).toBeLessThanOrEqual(scored(known).score + 1e-12);
      }),
      { seed: 2, numRuns: 200 },
    );
  });
});

describe('isCopied', () => {
  it('a variable without a threshold or with an unknown distance is never a copy', () => {
    expect(isCopied(withoutThreshold({ cloneDistance: 0, clonePenalty: 1 }))).toBe(false);
    expect(isCopied(variable({ cloneDistance: null, clonePenalty: null }))).toBe(false);
    expect(isCopied(variable({ cloneDistance: NaN, clonePenalty: 0 }))).toBe(false);
  });
});
