import { InvalidArgumentError, Option } from 'commander';
import { DEFAULT_MINERS_TLS, MINERS_TLS } from '#pipeline/miners/index';

/** Parses a whole number from `from` to `to`, both included. */
export const wholeNumber =
  (from: number, to: number) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isInteger(value) && value >= from && value <= to) return value;
    throw new InvalidArgumentError(`Allowed: a whole number from ${from} to ${to}.`);
  };

const UNIT_MILLIS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Parses a duration such as `90s`, `15m`, `2h` or `1d`, at least `leastMinutes`, to milliseconds. */
export const duration =
  (leastMinutes: number) =>
  (text: string): number => {
    const [, number = '', unit = ''] = /^(\d{1,6})([smhd])$/.exec(text.trim()) ?? [];
    const millis = Number(number) * (UNIT_MILLIS[unit] ?? 0);
    if (millis >= leastMinutes * 60_000 && millis > 0) return millis;
    throw new InvalidArgumentError(
      `Allowed: a number with its unit, s, m, h or d, for example 15m; at least ${leastMinutes}m.`,
    );
  };

/** The option of how the certificates of miners are checked. */
export const minersTlsOption = (): Option =>
  new Option(
    '--miners-tls <how>',
    'certificates of miners: off, which the network needs, since miners sign their own; pin, the first of each address; verify',
  )
    .choices(MINERS_TLS)
    .default(DEFAULT_MINERS_TLS);

/** Parses leads: hours separated by commas. */
export function leadList(text: string): readonly number[] {
  return text.split(',').map(wholeNumber(1, 1000));
}

/** Parses the URL of a service. */
export function httpUrl(text: string): URL {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return new URL(text);
  throw new InvalidArgumentError('Allowed: an http or https URL, for example http://127.0.0.1:9464/metrics.');
}

const INSTANT = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/;

/** Parses ISO 8601 with an offset. A date alone is refused, as its hour is open; so is 30 February. */
export function instant(text: string): Date {
  const time = new Date(text);
  const [, day] = INSTANT.exec(text) ?? [];
  if (day !== undefined && !Number.isNaN(time.getTime()) && isDay(day)) return time;
  throw new InvalidArgumentError('Allowed: ISO 8601 with an offset, for example 2026-11-23T00:00:00Z.');
}

/** `Date` rolls 30 February over to 2 March, so a valid day must survive the round trip. */
function isDay(day: string): boolean {
  const midnight = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
}

/** Names a validator. An empty text is refused: it would be the beginning of every hotkey. */
export const validatorOption = (description: string): Option =>
  new Option(
    '--validator <number or hotkey>',
    `${description}; the unique beginning of its hotkey is enough`,
  ).argParser((text) => {
    if (text !== '') return text;
    throw new InvalidArgumentError(
      'Allowed: the number of a validator, its hotkey, or the beginning of one.',
    );
  });

/** Names the validator of a run that is named. */
export const validatorOfRunOption = (): Option =>
  validatorOption('whose run it is; needed where several validators have a run of that number');
