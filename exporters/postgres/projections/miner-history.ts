import type { EpochMicros } from '#facts/step-fact';
import type { ForecastRow } from './forecast-row.ts';

/** The place of a forecast among those of its miner: by T0, then by run. */
export interface ForecastPlace {
  /** Null is later than any T0, as PostgreSQL sorts it. */
  readonly initTime: EpochMicros | null;
  readonly runId: number;
}

/** Aggregates over the finished forecasts of a miner. */
export interface ForecastHistory {
  readonly best: number | null;
  readonly worst: number | null;
  readonly lastSuccess: EpochMicros | null;
  readonly lastFailure: EpochMicros | null;
  readonly consecutiveSuccesses: number;
  readonly consecutiveFailures: number;
  /** The newest of them, null when there is none; not known in folds that were written before it was kept. */
  readonly newest?: ForecastPlace | null;
}

export const emptyHistory: ForecastHistory = {
  best: null,
  worst: null,
  lastSuccess: null,
  lastFailure: null,
  consecutiveSuccesses: 0,
  consecutiveFailures: 0,
  newest: null,
};

/** A history to which can be added. */
type KnownHistory = Required<ForecastHistory>;

const isKnown = (history: ForecastHistory): history is KnownHistory => history.newest !== undefined;

/** A forecast before and after a change. */
export interface HistoryChange {
  readonly runId: number;
  readonly before: ForecastRow | null;
  readonly after: ForecastRow;
}

/**
 * The history after some forecasts of the miner changed; null when that does not follow from the history before and the
 * rows of the forecasts have to be asked. It follows as long as forecasts end in the order of their places, which they
 * nearly always do. A change that is in the history already is not added twice.
 */
export function addToHistory(
  history: ForecastHistory,
  changes: readonly HistoryChange[],
): ForecastHistory | null {
  if (!isKnown(history)) return null;
  const sorted = [...changes].sort((a, b) => comparePlaces(placeOf(a), placeOf(b)));
  return sorted.reduce<KnownHistory | null>(
    (known, change) => (known === null ? null : addChange(known, change)),
    history,
  );
}

function addChange(history: KnownHistory, change: HistoryChange): KnownHistory | null {
  const before = outcomeOf(change.before);
  const after = outcomeOf(change.after);
  if (after === null) return before === null ? history : null;
  if (before === null) {
    const place = placeOf(change);
    const isNewest = history.newest === null || comparePlaces(place, history.newest) > 0;
    return isNewest && place.initTime !== null
      ? { ...addOutcome(addValues(history, after), after), newest: place }
      : null;
  }
  return isFilledIn(before, after) ? addValues(history, after) : null;
}

/** How a forecast ended, and what its history takes from it. */
interface Outcome {
  readonly isCompleted: boolean;
  readonly initTime: EpochMicros | null;
  readonly completedAt: EpochMicros | null;
  /** Null also where it does not count, which is where the forecast failed. */
  readonly score: number | null;
}

/**
 * A forecast counts as soon as its status says so, also when it is a running step that says it, which gives no
 * completion time.
 */
function outcomeOf(row: ForecastRow | null): Outcome | null {
  if (row === null || !isFinished(row)) return null;
  const { initTime, completedAt, combinedScore } = row;
  const isCompleted = row.forecastStatus === 'completed';
  return { isCompleted, initTime, completedAt, score: isCompleted ? combinedScore : null };
}

export const isFinished = ({ forecastStatus }: ForecastRow): boolean =>
  forecastStatus === 'completed' || forecastStatus === 'failed';

/** Whether nothing was taken back: what was not known may be known now. */
const isFilledIn = (before: Outcome, after: Outcome): boolean =>
  before.isCompleted === after.isCompleted &&
  before.initTime === after.initTime &&
  (before.completedAt === null || before.completedAt === after.completedAt) &&
  (before.score === null || before.score === after.score);

const higher = (a: number | null, b: number | null): number | null =>
  a === null ? b : b === null ? a : Math.max(a, b);
const lower = (a: number | null, b: number | null): number | null =>
  a === null ? b : b === null ? a : Math.min(a, b);

const addValues = (history: KnownHistory, outcome: Outcome): KnownHistory => ({
  ...history,
  best: higher(history.best, outcome.score),
  worst: lower(history.worst, outcome.score),
  ...(outcome.isCompleted
    ? { lastSuccess: higher(history.lastSuccess, outcome.completedAt) }
    : { lastFailure: higher(history.lastFailure, outcome.completedAt) }),
});

/**
 * Current streak (domain 5.3): the newest forecasts in a row that ended alike, in the order of their places; those in
 * flight neither count nor break it. A newest outcome is one more of the streak, or the first of another.
 */
const addOutcome = (history: KnownHistory, { isCompleted }: Outcome): KnownHistory => ({
  ...history,
  consecutiveSuccesses: isCompleted ? history.consecutiveSuccesses + 1 : 0,
  consecutiveFailures: isCompleted ? 0 : history.consecutiveFailures + 1,
});

const placeOf = ({ runId, after }: HistoryChange): ForecastPlace => ({ initTime: after.initTime, runId });

const comparePlaces = (a: ForecastPlace, b: ForecastPlace): number =>
  (a.initTime ?? Infinity) === (b.initTime ?? Infinity)
    ? a.runId - b.runId
    : (a.initTime ?? Infinity) - (b.initTime ?? Infinity);
