import { describe, expect, it } from 'vitest';
import {
  era5Stage,
  inferenceStage,
  pollSubstep,
  STAGE_PATTERN,
  STAGES,
  STEP_NAMES,
  SUBSTEP_PATTERN,
  SUBSTEPS,
  toStage,
  toSubstepGroup,
} from '#semconv';

describe('stages with a number', () => {
  it('toStage removes the number of a stage, and keeps a plain stage', () => {
    for (const stage of STAGES) expect(toStage(stage)).toBe(stage);
    expect(toStage(era5Stage(72))).toBe('era5_scoring');
    expect(toStage(inferenceStage(45.4))).toBe('inference_running');
  });

  it('inferenceStage carries a progress between 0 and 100, or none when it is unknown', () => {
    expect([45.4, -3, 250].map(inferenceStage)).toEqual([
      'inference_running_45%',
      'inference_running_0%',
      'inference_running_100%',
    ]);
    expect([null, Number.NaN, Infinity].map(inferenceStage)).toEqual(Array(3).fill('inference_running'));
  });

  it('toStage throws on an unknown stage, and never replaces it', () => {
    expect(() => toStage('era5_scored')).toThrow(/stage is "era5_scored"; allowed: init, /);
    expect(() => toStage('')).toThrow(RangeError);
  });

  it.each(['inference_running_101%', 'inference_running_045%', 'era5_scoring_0h', 'era5_scoring_h', 'Init'])(
    'the stage pattern does not match %s',
    (text) => {
      expect(STAGE_PATTERN.test(text)).toBe(false);
    },
  );

  it('the stage pattern matches every stage that is built', () => {
    for (const text of [...STAGES, era5Stage(240), inferenceStage(0), inferenceStage(100)]) {
      expect(text).toMatch(STAGE_PATTERN);
    }
  });
});

describe('substeps', () => {
  it('substeps belong to their step only', () => {
    expect(toSubstepGroup('poll', pollSubstep(17))).toBe('attempt');
    expect(toSubstepGroup('query', 'initiate_fetch')).toBe('initiate_fetch');
    expect(toSubstepGroup('query', 'attempt_1')).toBeNull();
    expect(toSubstepGroup('day1', 'manifest')).toBeNull();
  });

  it('substeps match the pattern, the family of attempts with its number only', () => {
    for (const substep of STEP_NAMES.flatMap((step): readonly string[] => SUBSTEPS[step])) {
      expect(SUBSTEP_PATTERN.test(substep)).toBe(substep !== 'attempt');
    }
    expect(pollSubstep(1)).toMatch(SUBSTEP_PATTERN);
    expect(pollSubstep(0)).not.toMatch(SUBSTEP_PATTERN);
  });
});
