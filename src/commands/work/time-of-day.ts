import { InvalidArgumentError } from 'commander';

const MINUTE_MILLIS = 60_000;
const DAY_MILLIS = 24 * 60 * MINUTE_MILLIS;

/** A time of each day: milliseconds after 00:00 UTC. */
export type TimeOfDay = number;

/** Parses `18:00`, UTC. */
export function timeOfDay(text: string): TimeOfDay {
  const [, hours, minutes] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
  if (hours === undefined || minutes === undefined) {
    throw new InvalidArgumentError('Allowed: hours and minutes UTC from 00:00 to 23:59, for example 18:00.');
  }
  return (Number(hours) * 60 + Number(minutes)) * MINUTE_MILLIS;
}

/** The inverse of `timeOfDay`. */
export const toClockText = (time: TimeOfDay): string => new Date(time).toISOString().slice(11, 16);

/** 00:00 UTC of the same date. */
export const startOfDay = (instant: Date): Date =>
  new Date(Math.floor(instant.getTime() / DAY_MILLIS) * DAY_MILLIS);

/** The first instant after `now` at this time of day. */
export function nextTime(now: Date, time: TimeOfDay): Date {
  const today = startOfDay(now).getTime() + time;
  return new Date(today > now.getTime() ? today : today + DAY_MILLIS);
}
