import type { EpochMicros, StepFact } from './step-fact.ts';

const DAY = 86_400_000_000;
/** No pipeline of this kind ran earlier. */
const OLDEST_START: EpochMicros = Date.UTC(2000, 0, 1) * 1000;
/** ERA5 begins in 1940, and its predecessors hardly earlier. */
const OLDEST_VALID_TIME: EpochMicros = Date.UTC(1900, 0, 1) * 1000;
const MAX_DAYS_AHEAD = 1;
const MAX_VALID_DAYS_AHEAD = 731;
const END_OF_CALENDAR = 8.64e18;

/** An instant as ISO text; beyond the range of `Date` as seconds. */
const formatInstant = (at: EpochMicros): string =>
  Math.abs(at) <= END_OF_CALENDAR ? new Date(at / 1000).toISOString() : `${at / 1e6} s after 1970`;

const isOutside = (at: EpochMicros, from: EpochMicros, to: EpochMicros): boolean => !(at >= from && at <= to);

/** A fact whose timestamps cannot be right; `detail` has the value and the range. */
export interface ClockRejection {
  readonly reason: 'clock_out_of_range';
  readonly detail: string;
}

/**
 * Rejects facts with timestamps of a wrong clock. Such a fact would create a partition of its own, and retention, which
 * goes by the same times, might never drop it.
 */
export function validateTimestamps(fact: StepFact, now: EpochMicros): ClockRejection | null {
  const latestStart = now + MAX_DAYS_AHEAD * DAY;
  if (isOutside(fact.startedAt, OLDEST_START, latestStart)) {
    const detail = `the step started at ${formatInstant(fact.startedAt)}; allowed: ${formatInstant(OLDEST_START)} to a day after now, ${formatInstant(latestStart)}`;
    return { reason: 'clock_out_of_range', detail };
  }
  const latestValidTime = now + MAX_VALID_DAYS_AHEAD * DAY;
  const invalid = fact.componentScores.find(({ validTime }) =>
    isOutside(validTime, OLDEST_VALID_TIME, latestValidTime),
  );
  if (invalid === undefined) return null;
  const detail = `weather.component.valid_time is ${formatInstant(invalid.validTime)}; allowed: ${formatInstant(OLDEST_VALID_TIME)} to two years after now, ${formatInstant(latestValidTime)}`;
  return { reason: 'clock_out_of_range', detail };
}
