import { InvalidArgumentError } from 'commander';

/** A whole number of a range, both ends included. */
export const wholeNumber =
  (from: number, to: number) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isInteger(value) && value >= from && value <= to) return value;
    throw new InvalidArgumentError(`Allowed: a whole number from ${from} to ${to}.`);
  };

/** Hours separated by commas. */
export function leadList(text: string): readonly number[] {
  return text.split(',').map(wholeNumber(1, 1000));
}

const INSTANT = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/;

/** An instant with its offset; `2026-11-23` alone would leave the hour open, and the 30th of February is none. */
export function instant(text: string): Date {
  const time = new Date(text);
  const [, day] = INSTANT.exec(text) ?? [];
  if (day !== undefined && !Number.isNaN(time.getTime()) && isDay(day)) return time;
  throw new InvalidArgumentError('Allowed: ISO 8601 with an offset, for example 2026-11-23T00:00:00Z.');
}

/** The language takes the 30th of February for the 2nd of March. */
function isDay(day: string): boolean {
  const midnight = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
}
