import { INSTANTS } from './state-fact.ts';
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

const STATE_INSTANTS = Object.entries<(typeof INSTANTS)[keyof typeof INSTANTS]>(INSTANTS);

/** The first instant, of those that a sender tells, that no forecast can have; the database holds none that lies far outside. */
function wrongInstant(fact: StepFact, to: EpochMicros): readonly [name: string, at: EpochMicros] | null {
  const isWrong = (at: EpochMicros): boolean => isOutside(at, OLDEST_VALID_TIME, to);
  for (const [name, member] of STATE_INSTANTS) {
    const at = fact.state[member];
    if (at !== undefined && isWrong(at)) return [name, at];
  }
  if (fact.nextRetryTime !== null && isWrong(fact.nextRetryTime))
    return ['weather.retry.next_time', fact.nextRetryTime];
  const decision = fact.decisions.find(({ at }) => isWrong(at));
  if (decision !== undefined) return ['the time of an orchestration decision', decision.at];
  const score = fact.componentScores.find(({ validTime }) => isWrong(validTime));
  return score === undefined ? null : ['weather.component.valid_time', score.validTime];
}

/**
 * Rejects facts with timestamps of a wrong clock. Such a fact would create a partition of its own, and retention, which
 * goes by the same times, might never drop it. An end that lies ahead would make its process look alive until then.
 */
export function validateTimestamps(fact: StepFact, now: EpochMicros): ClockRejection | null {
  const latestStart = now + MAX_DAYS_AHEAD * DAY;
  if (isOutside(fact.startedAt, OLDEST_START, latestStart)) {
    const detail = `the step started at ${formatInstant(fact.startedAt)}; allowed: ${formatInstant(OLDEST_START)} to a day after now, ${formatInstant(latestStart)}`;
    return { reason: 'clock_out_of_range', detail };
  }
  if (fact.completedAt !== null && fact.completedAt > latestStart) {
    const detail = `the step ended at ${formatInstant(fact.completedAt)}; allowed: up to a day after now, ${formatInstant(latestStart)}`;
    return { reason: 'clock_out_of_range', detail };
  }
  const latestValidTime = now + MAX_VALID_DAYS_AHEAD * DAY;
  const wrong = wrongInstant(fact, latestValidTime);
  if (wrong === null) return null;
  const [name, at] = wrong;
  const detail = `${name} is ${formatInstant(at)}; allowed: ${formatInstant(OLDEST_VALID_TIME)} to two years after now, ${formatInstant(latestValidTime)}`;
  return { reason: 'clock_out_of_range', detail };
}
