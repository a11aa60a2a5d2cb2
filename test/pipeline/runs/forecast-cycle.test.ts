import { describe, expect, it } from 'vitest';
import { cycleName, previousCycle, requireForecastCycle } from '#pipeline/runs/forecast-cycle';

describe('forecast cycle', () => {
  it.each(['00', '06', '12', '18'])('%s UTC is a valid T0', (hour) => {
    const initTime = new Date(`2026-11-23T${hour}:00:00Z`);
    expect(requireForecastCycle(initTime)).toBe(initTime);
  });

  it.each([
    '2026-11-23T03:00:00Z',
    '2026-11-23T00:00:01Z',
    '2026-11-23T00:00:00.001Z',
    '2026-11-23T06:30:00Z',
  ])('a T0 at %s is rejected with an error that names it and what is allowed', (text) => {
    expect(() => requireForecastCycle(new Date(text))).toThrow(
      new RegExp(`${new Date(text).toISOString()}.*00:00, 06:00, 12:00 or 18:00 UTC`),
    );
  });

  it('an invalid date is rejected as T0', () => {
    expect(() => requireForecastCycle(new Date('soon'))).toThrow('an invalid date');
  });

  it('a cycle has a name, and the cycle before midnight is on the previous day', () => {
    const midnight = new Date('2026-11-23T00:00:00Z');
    expect(cycleName(midnight)).toBe('2026-11-23T00Z');
    expect(cycleName(previousCycle(midnight))).toBe('2026-11-22T18Z');
  });
});
