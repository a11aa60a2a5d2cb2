import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCfTimes } from '#grids/cf-time';

function decodeOne(value: number, units: string, calendar?: string): string | undefined {
  return decodeCfTimes([value], { units, calendar })[0]?.toISOString();
}

describe('decodeCfTimes', () => {
  it.each([
    [1026672, 'hours since 1900-01-01', '2017-02-14T00:00:00.000Z'],
    [36, 'hours since 2026-01-01 12:00:00', '2026-01-03T00:00:00.000Z'],
    [36, 'hours since 2026-01-01T12:00:00Z', '2026-01-03T00:00:00.000Z'],
    [0, 'hours since 2026-01-01 06:30', '2026-01-01T06:30:00.000Z'],
    [0, 'hours since 2026-1-5', '2026-01-05T00:00:00.000Z'],
    [0, 'hours since 2026-01-01 00:00:00.25', '2026-01-01T00:00:00.250Z'],
    [0.5, 'days since 1970-01-01 00:00:00 UTC', '1970-01-01T12:00:00.000Z'],
    [90, 'minutes since 1970-01-01 00:00:00 +00:00', '1970-01-01T01:30:00.000Z'],
    [1767225600, 'seconds since 1970-01-01', '2026-01-01T00:00:00.000Z'],
    [1767225600e9, 'nanoseconds since 1970-01-01', '2026-01-01T00:00:00.000Z'],
    [2, 'h since 1970-01-01', '1970-01-01T02:00:00.000Z'],
    [2, 'Days Since 1970-01-01', '1970-01-03T00:00:00.000Z'],
    [1, 'hours since 1800-01-01 00:00:0.0', '1800-01-01T01:00:00.000Z'],
    [1, 'hours since 1900-1-1 0:0:0', '1900-01-01T01:00:00.000Z'],
    [1, 'hours since 1900-01-01 00', '1900-01-01T01:00:00.000Z'],
    [1, 'hrs since 1900-01-01 6', '1900-01-01T07:00:00.000Z'],
    [0, 'hours since 1970-01-01 00:00 +0:00', '1970-01-01T00:00:00.000Z'],
    [0, 'hours since 1970-01-01 00:00:00 +03:00', '1969-12-31T21:00:00.000Z'],
    [0, 'seconds since 1992-10-8 15:15:42.5 -6:00', '1992-10-08T21:15:42.500Z'],
    [0, 'seconds since 1992-10-08T15:15:42.-0530', '1992-10-08T20:45:42.000Z'],
    [3, 'msecs since 1970-01-01 GMT', '1970-01-01T00:00:00.003Z'],
  ])('the stored time %d in %s is decoded as %s', (value, units, expected) => {
    expect(decodeOne(value, units)).toBe(expected);
  });

  it('the name of a calendar has no case', () => {
    expect(decodeOne(1, 'days since 1970-01-01', 'Gregorian')).toBe('1970-01-02T00:00:00.000Z');
  });

  it('a proleptic calendar can start in year 1: no century is added to a two-digit year', () => {
    expect(decodeOne(0, 'days since 0001-01-01', 'proleptic_gregorian')).toBe('0001-01-01T00:00:00.000Z');
  });

  it('every whole hour since 1900 is decoded exactly', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3_000_000 }), (hours) => {
        const [time] = decodeCfTimes([hours], { units: 'hours since 1900-01-01' });
        expect(((time?.getTime() ?? 0) - Date.UTC(1900, 0, 1)) / 3_600_000).toBe(hours);
      }),
    );
  });

  it.each([
    ['fortnights since 1970-01-01', undefined, 'not understood'],
    ['hours after 1970-01-01', undefined, 'not understood'],
    ['hours since 1970-02-30', undefined, 'not understood'],
    ['hours since 1970-13-01', undefined, 'not understood'],
    ['hours since 1970-01-01 24:00', undefined, 'not understood'],
    ['months since 1970-01-01', undefined, 'not understood'],
    ['constructor since 1970-01-01', undefined, 'not understood'],
    ['hours since 1970-01-01', '360_day', 'allowed: standard, gregorian, proleptic_gregorian'],
    ['hours since 0001-01-01', 'standard', 'Julian'],
  ])('the units "%s" in calendar %s are rejected, so that no time is guessed', (units, calendar, message) => {
    expect(() => decodeOne(1, units, calendar)).toThrow(
      expect.objectContaining({
        category: 'invalid_response',
        message: expect.stringContaining(message) as string,
      }),
    );
  });

  it('a number that is not a valid time is rejected', () => {
    expect(() => decodeOne(Number.NaN, 'hours since 1970-01-01')).toThrow('no instant');
    expect(() => decodeOne(1e300, 'hours since 1970-01-01')).toThrow('no instant');
  });
});
