import { InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { nextTime, startOfDay, timeOfDay, toClockText } from '#commands/work/time-of-day';

describe('timeOfDay', () => {
  it.each(['00:00', '06:30', '18:00', '23:59'])('the time %s is formatted as it was parsed', (text) => {
    expect(toClockText(timeOfDay(text))).toBe(text);
  });

  it.each(['24:00', '18:60', '6:00', '1800', '18:00Z', '', '-1:00'])(
    'the time "%s" is refused with an example',
    (text) => {
      expect(() => timeOfDay(text)).toThrow(InvalidArgumentError);
      expect(() => timeOfDay(text)).toThrow(/for example 18:00/);
    },
  );

  it.each([
    ['2026-11-23T17:00:00Z', '2026-11-23T18:00:00.000Z'],
    ['2026-11-23T18:00:00Z', '2026-11-24T18:00:00.000Z'],
    ['2026-12-31T23:00:00Z', '2027-01-01T18:00:00.000Z'],
  ])('the next 18:00 after %s is %s', (now, next) => {
    expect(nextTime(new Date(now), timeOfDay('18:00')).toISOString()).toBe(next);
  });

  it('a day begins at 00:00 UTC', () => {
    expect(startOfDay(new Date('2026-11-23T23:59:59.999Z')).toISOString()).toBe('2026-11-23T00:00:00.000Z');
  });
});
