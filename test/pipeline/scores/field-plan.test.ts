import { describe, expect, it } from 'vitest';
import {
  BASE_WEIGHTS,
  fieldKey,
  hasField,
  requireSomePresent,
  sharedPlannedFields,
  splitByPresence,
} from '#pipeline/scores/field-plan';
import { VARIABLES, type Variable } from '#semconv';

const surface = (name: Variable) => ({ name, pressureLevelsHpa: null, units: null });
const levels = (name: Variable, ...pressureLevelsHpa: number[]) => ({ name, pressureLevelsHpa, units: null });
const truth = { variables: [levels('z', 500, 850), surface('2t'), levels('t', 500)] };
const climatology = { variables: [surface('2t'), levels('z', 850, 1000), surface('msl')] };

describe('field plan', () => {
  it('the fields to score are those that all stores share, by variable and level', () => {
    expect(sharedPlannedFields(truth, climatology).map(fieldKey)).toEqual(['2t', 'z850']);
    expect(sharedPlannedFields(truth).map(fieldKey)).toEqual(['2t', 't500', 'z500', 'z850']);
  });

  it('a variable at the surface is not the same field as one on levels', () => {
    expect(hasField(truth, { variable: 'z', pressureHpa: null })).toBe(false);
    expect(hasField(truth, { variable: '2t', pressureHpa: 500 })).toBe(false);
    expect(hasField(truth, { variable: 'q', pressureHpa: 500 })).toBe(false);
  });

  it('expected fields are split into those that a forecast has and those that it lacks', () => {
    const { present, missing } = splitByPresence(climatology, sharedPlannedFields(truth));
    expect(present.map(fieldKey)).toEqual(['2t', 'z850']);
    expect(missing.map(fieldKey)).toEqual(['t500', 'z500']);
  });

  it('a forecast without any expected field is at fault', () => {
    const nothing = splitByPresence({ variables: [] }, sharedPlannedFields(truth));
    expect(() => requireSomePresent(nothing)).toThrow(/none of the fields to score \(2t, t500, z500, z850\)/);
    expect(() => requireSomePresent(splitByPresence(truth, sharedPlannedFields(truth)))).not.toThrow();
  });

  it('the validator is at fault when its stores share no field', () => {
    try {
      requireSomePresent({ present: [], missing: [] });
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ category: 'validator_internal' });
    }
  });

  it('the weights of all variables add up to 1', () => {
    const sum = VARIABLES.reduce((total, variable) => total + BASE_WEIGHTS[variable], 0);
    expect(sum).toBeCloseTo(1, 12);
  });
});
