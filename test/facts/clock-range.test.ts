import { describe, expect, it } from 'vitest';
import { validateTimestamps } from '#facts/clock-range';
import type { ComponentScoreFact, EpochMicros } from '#facts/step-fact';
import { componentScore, endedSpan } from '#test/support/spans';
import { toFact } from '#test/support/facts';

const micros = (iso: string): EpochMicros => Date.parse(iso) * 1000;
const NOW = micros('2026-11-24T12:00:00Z');

const score = componentScore({ score_type: 'era5', variable_name: 'z', valid_time: '2026-11-24T00:00:00Z' });
const fact = toFact(endedSpan({ step: 'era5', lead: 24, events: [score] }));
const startedAt = (startedAt: EpochMicros) => validateTimestamps({ ...fact, startedAt }, NOW);
function validAt(validTime: EpochMicros) {
  const componentScores = fact.componentScores.map((it): ComponentScoreFact => ({ ...it, validTime }));
  return validateTimestamps({ ...fact, componentScores }, NOW);
}

describe('validateTimestamps', () => {
  it.each([
    ['2000-01-01T00:00:00Z', '1999-12-31T23:59:59Z'],
    ['2026-11-25T12:00:00Z', '2026-11-25T12:00:01Z'],
  ])('a start at %s is valid and a start at %s is not', (allowed, rejected) => {
    expect(startedAt(micros(allowed))).toBeNull();
    expect(startedAt(micros(rejected))).toMatchObject({ reason: 'clock_out_of_range' });
  });

  it.each([
    ['1900-01-01T00:00:00Z', '1899-12-31T23:59:59Z'],
    ['2028-11-24T12:00:00Z', '2028-11-24T12:00:01Z'],
  ])('a valid time of %s is valid and a valid time of %s is not', (allowed, rejected) => {
    expect(validAt(micros(allowed))).toBeNull();
    expect(validAt(micros(rejected))).toMatchObject({ reason: 'clock_out_of_range' });
  });

  it.each([
    ['2026-11-25T12:00:00Z', '2026-11-25T12:00:01Z'],
    ['2000-01-01T00:00:00Z', '2554-07-21T23:34:33Z'],
  ])('an end at %s is valid and an end at %s is not', (allowed, rejected) => {
    const endedAt = (completedAt: EpochMicros) => validateTimestamps({ ...fact, completedAt }, NOW);
    expect(endedAt(micros(allowed))).toBeNull();
    expect(endedAt(micros(rejected))?.detail).toMatch(
      /^the step ended at .*; allowed: up to a day after now, 2026-11-25/,
    );
  });

  it.each([
    ['weather.run.init_time', '0001-01-01T00:00:00Z'],
    ['weather.job.accepted_time', '1899-12-31T23:59:59Z'],
    ['weather.truth.due_time', '9999-12-31T23:59:59Z'],
    ['weather.retry.next_time', '9999-12-31T23:59:59Z'],
  ])('the instant %s of %s is rejected by name, which the database would refuse unheard', (name, iso) => {
    const factAt = (at: string) => toFact(endedSpan({ step: 'query', attributes: { [name]: at } }));
    expect(validateTimestamps(factAt('2026-11-24T00:00:00Z'), NOW)).toBeNull();
    expect(validateTimestamps(factAt(iso), NOW)?.detail).toContain(`${name} is ${iso.slice(0, 4)}`);
  });

  it('a decision at a time that no clock has is rejected', () => {
    const decision = { index: 0, decision: 'run_created', reason: '', level: 'INFO' } as const;
    const decided = (at: EpochMicros) =>
      ({ ...fact, decisions: [{ ...decision, at }] }) as unknown as typeof fact;
    expect(validateTimestamps(decided(NOW), NOW)).toBeNull();
    expect(validateTimestamps(decided(2 ** 54), NOW)?.detail).toMatch(
      /^the time of an orchestration decision is 2540/,
    );
  });

  it('a rejection names the value and the range, also for instants beyond the calendar', () => {
    expect(validAt(micros('1850-01-01T00:00:00Z'))?.detail).toBe(
      'weather.component.valid_time is 1850-01-01T00:00:00.000Z; ' +
        'allowed: 1900-01-01T00:00:00.000Z to two years after now, 2028-11-24T12:00:00.000Z',
    );
    expect(startedAt(1e24)?.detail).toMatch(
      /^the step started at 1000000000000000000 s after 1970; allowed:/,
    );
    expect(startedAt(NaN)).not.toBeNull();
  });
});
