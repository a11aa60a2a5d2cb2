import { InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { duration, httpUrl, instant, leadList, wholeNumber } from '#commands/terminal/option-parsers';

describe('wholeNumber', () => {
  it.each(['0', '7', '10', ' 7 '])('a whole number within its range is read from "%s"', (text) => {
    expect(wholeNumber(0, 10)(text)).toBe(Number(text));
  });

  it.each(['-1', '11', '7.5', '', ' ', 'seven', '0x', 'NaN', 'Infinity'])(
    '"%s" is refused as a whole number',
    (text) => {
      expect(() => wholeNumber(0, 10)(text)).toThrow(InvalidArgumentError);
      expect(() => wholeNumber(0, 10)(text)).toThrow('Allowed: a whole number from 0 to 10.');
    },
  );
});

describe('leadList', () => {
  it('leads are read in the given order', () => {
    expect(leadList('48,24, 240')).toEqual([48, 24, 240]);
  });

  it.each(['', '24,', '24,,48', '24;48', '0'])('"%s" is refused as a list of leads', (text) => {
    expect(() => leadList(text)).toThrow('Allowed: a whole number from 1 to 1000.');
  });
});

describe('instant', () => {
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
  ])('%s is refused as an instant, because day, hour or offset would be guessed', (text) => {
    expect(() => instant(text)).toThrow('Allowed: ISO 8601 with an offset');
  });
});

describe('duration', () => {
  it.each([
    ['90s', 90_000],
    ['1m', 60_000],
    [' 2h ', 7_200_000],
    ['1d', 86_400_000],
  ])('a duration is read from "%s"', (text, millis) => {
    expect(duration(1)(text)).toBe(millis);
  });

  it.each(['59s', '15', 'm', '1.5h', '-1h', '0m', '2 weeks', ''])('"%s" is refused as a duration', (text) => {
    expect(() => duration(1)(text)).toThrow(
      'Allowed: a number with its unit, s, m, h or d, for example 15m; at least 1m.',
    );
  });
});

describe('httpUrl', () => {
  it('an http or https URL is accepted, and nothing else', () => {
    expect(httpUrl('https://metrics.example/all').href).toBe('https://metrics.example/all');
    for (const text of ['localhost:9464', 'ftp://metrics', 'http://', ''])
      expect(() => httpUrl(text)).toThrow('Allowed: an http or https URL');
  });
});
