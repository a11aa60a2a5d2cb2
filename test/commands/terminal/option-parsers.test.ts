import { InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { duration, httpUrl, instant, leadList, wholeNumber } from '#commands/terminal/option-parsers';

describe('a whole number', () => {
  it.each(['0', '7', '10', ' 7 '])('a whole number is read from "%s" within its range', (text) => {
    expect(wholeNumber(0, 10)(text)).toBe(Number(text));
  });

  it.each(['-1', '11', '7.5', '', ' ', 'seven', '0x', 'NaN', 'Infinity'])(
    'a whole number is refused in "%s"',
    (text) => {
      expect(() => wholeNumber(0, 10)(text)).toThrow(InvalidArgumentError);
      expect(() => wholeNumber(0, 10)(text)).toThrow('Allowed: a whole number from 0 to 10.');
    },
  );
});

describe('a list of leads', () => {
  it('a list of leads is read in the order that was given', () => {
    expect(leadList('48,24, 240')).toEqual([48, 24, 240]);
  });

  it.each(['', '24,', '24,,48', '24;48', '0'])('a list of leads is refused as "%s"', (text) => {
    expect(() => leadList(text)).toThrow('Allowed: a whole number from 1 to 1000.');
  });
});

describe('an instant', () => {
  it.each([
    ['2026-11-23T00:00:00Z', '2026-11-23T00:00:00.000Z'],
    ['2026-11-23T01:30:00+01:30', '2026-11-23T00:00:00.000Z'],
  ])('an instant is read from %s', (text, expected) => {
    expect(instant(text).toISOString()).toBe(expected);
  });

  it.each([
    '2026-11-23',
    '2026-11-23T00:00:00',
    '2026-02-30T00:00:00Z',
    '2026-11-23T25:00:00Z',
    'now',
    '1764000000',
  ])('an instant is refused as %s, where day, hour or offset would be guessed', (text) => {
    expect(() => instant(text)).toThrow('Allowed: ISO 8601 with an offset');
  });
});

describe('a duration', () => {
  it.each([
    ['90s', 90_000],
    ['1m', 60_000],
    [' 2h ', 7_200_000],
    ['1d', 86_400_000],
  ])('a duration is read from "%s"', (text, millis) => {
    expect(duration(1)(text)).toBe(millis);
  });

  it.each(['59s', '15', 'm', '1.5h', '-1h', '0m', '2 weeks', ''])('a duration is refused as "%s"', (text) => {
    expect(() => duration(1)(text)).toThrow(
      'Allowed: a number with its unit, s, m, h or d, for example 15m; at least 1m.',
    );
  });
});

describe('the address of a service', () => {
  it('the address of a service is an http or https URL, and nothing else', () => {
    expect(httpUrl('https://metrics.example/all').href).toBe('https://metrics.example/all');
    for (const text of ['localhost:9464', 'ftp://metrics', 'http://', ''])
      expect(() => httpUrl(text)).toThrow('Allowed: an http or https URL');
  });
});
