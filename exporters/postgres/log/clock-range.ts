import type { EpochMicros, StepFact } from '#facts/step-fact';
import type { Rejection } from './batch.ts';

const DAY = 86_400_000_000;
/** Before it nothing of ours ran. */
const OLDEST_START: EpochMicros = Date.UTC(2000, 0, 1) * 1000;
/** ERA5 begins in 1940, and its predecessors hardly earlier. */
const OLDEST_VALID_TIME: EpochMicros = Date.UTC(1900, 0, 1) * 1000;
const MOST_DAYS_AHEAD = 1;
const MOST_VALID_DAYS_AHEAD = 731;
const END_OF_CALENDAR = 8.64e18;

/** An instant in words; one that no calendar of ours holds as a number. */
const toIsoText = (at: EpochMicros): string =>
  Math.abs(at) <= END_OF_CALENDAR ? new Date(at / 1000).toISOString() : `${at / 1e6} s after 1970`;

const outside = (at: EpochMicros, from: EpochMicros, to: EpochMicros): boolean => !(at >= from && at <= to);

/**
 * Refuses what a clock that is wrong has stamped. Such a span would make a partition that nothing else falls into and
 * that retention, which goes by the same times, may never drop.
 */
export function validateTimestamps(fact: StepFact, now: EpochMicros): Rejection | null {
  const latestStart = now + MOST_DAYS_AHEAD * DAY;
  if (outside(fact.startedAt, OLDEST_START, latestStart)) {
    const detail = `the step started at ${toIsoText(fact.startedAt)}; allowed: ${toIsoText(OLDEST_START)} to a day after now, ${toIsoText(latestStart)}`;
    return { reason: 'clock_out_of_range', detail };
  }
  const latestValidTime = now + MOST_VALID_DAYS_AHEAD * DAY;
  const wild = fact.componentScores.find(({ validTime }) =>
    outside(validTime, OLDEST_VALID_TIME, latestValidTime),
  );
  if (wild === undefined) return null;
  const detail = `weather.component.valid_time is ${toIsoText(wild.validTime)}; allowed: ${toIsoText(OLDEST_VALID_TIME)} to two years after now, ${toIsoText(latestValidTime)}`;
  return { reason: 'clock_out_of_range', detail };
}
