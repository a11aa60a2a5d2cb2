import { describe, expect, it } from 'vitest';
import { cycleName, previousCycle, requireForecastCycle } from '#pipeline/runs/forecast-cycle';

describe('T0', () => {
  it.each(['00', '06', '12', '18'])('T0 may be %s UTC', (hour) => {
    const initTime = new Date(`2026-11-23T${hour}:00:00Z`);
    expect(requireForecastCycle(initTime)).toBe(initTime);
  });

  it.each([
    '2026-11-23T03:00:00Z',
    '2026-11-23T00:00:01Z',
    '2026-11-23T00:00:00.001Z',
    '2026-11-23T06:30:00Z',
  ])('T0 is refused at %s, naming what was got and what is allowed', (text) => {
    expect(() => requireForecastCycle(new Date(text))).toThrow(
      new RegExp(`${new Date(text).toISOString()}.*00:00, 06:00, 12:00 or 18:00 UTC`),
    );
  });

  it('T0 is refused when it is no date at all', () => {
    expect(() => requireForecastCycle(new Date('soon'))).toThrow('an invalid date');
  });

  it('T0 has a name and a cycle before it, on the day before when it is midnight', () => {
    const midnight = new Date('2026-11-23T00:00:00Z');
    expect(cycleName(midnight)).toBe('2026-11-23T00Z');
    expect(cycleName(previousCycle(midnight))).toBe('2026-11-22T18Z');
  });
});
