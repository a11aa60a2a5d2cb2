import { InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { nextTime, startOfDay, timeOfDay, toClockText } from '#commands/work/time-of-day';

describe('a time of the day', () => {
  it.each(['00:00', '06:30', '18:00', '23:59'])('a time of the day: %s is written as it was read', (text) => {
    expect(toClockText(timeOfDay(text))).toBe(text);
  });

  it.each(['24:00', '18:60', '6:00', '1800', '18:00Z', '', '-1:00'])(
    'a time of the day: "%s" is refused with an example',
    (text) => {
      expect(() => timeOfDay(text)).toThrow(InvalidArgumentError);
      expect(() => timeOfDay(text)).toThrow(/for example 18:00/);
    },
  );

  it.each([
    ['2026-11-23T17:00:00Z', '2026-11-23T18:00:00.000Z'],
    ['2026-11-23T18:00:00Z', '2026-11-24T18:00:00.000Z'],
    ['2026-12-31T23:00:00Z', '2027-01-01T18:00:00.000Z'],
  ])('a time of the day comes next after %s at %s', (now, next) => {
    expect(nextTime(new Date(now), timeOfDay('18:00')).toISOString()).toBe(next);
  });

  it('a time of the day belongs to a day that begins at 00:00 UTC', () => {
    expect(startOfDay(new Date('2026-11-23T23:59:59.999Z')).toISOString()).toBe('2026-11-23T00:00:00.000Z');
  });
});
