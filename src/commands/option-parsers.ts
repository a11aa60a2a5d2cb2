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

/** An instant with its offset; `2026-11-23` alone would leave the hour open. */
export function instant(text: string): Date {
  const time = new Date(text);
  if (/T.*(Z|[+-]\d\d:?\d\d)$/.test(text) && !Number.isNaN(time.getTime())) return time;
  throw new InvalidArgumentError('Allowed: ISO 8601 with an offset, for example 2026-11-23T00:00:00Z.');
}
