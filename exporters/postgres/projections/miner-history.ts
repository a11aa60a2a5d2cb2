import type { EpochMicros } from '#facts/step-fact';
import type { ForecastRow } from './forecast-row.ts';
import { countedEnd } from './forecast-state.ts';

/** Sort key of a forecast in the history of its miner: by T0, then by run. */
export interface ForecastPlace {
  /** Null sorts after any T0, as in PostgreSQL. */
  readonly initTime: EpochMicros | null;
  readonly runId: number;
}

/** Aggregate over the forecasts of a miner that count; excused ones do not. */
export interface ForecastHistory {
  readonly best: number | null;
  readonly worst: number | null;
  readonly lastSuccess: EpochMicros | null;
  readonly lastFailure: EpochMicros | null;
  readonly consecutiveSuccesses: number;
  readonly consecutiveFailures: number;
  /** The newest of them, null when there is none; undefined in folds stored before this member existed. */
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

/** A history that can be updated incrementally. */
type KnownHistory = Required<ForecastHistory>;

const isKnown = (history: ForecastHistory): history is KnownHistory => history.newest !== undefined;

/** A forecast before and after a change. */
export interface HistoryChange {
  readonly runId: number;
  readonly before: ForecastRow | null;
  readonly after: ForecastRow;
}

/**
 * Incremental update of a history by changed forecasts; null when it has to be recomputed from the forecast rows. The
 * incremental path needs forecasts to end in the order of their places, which they nearly always do. Idempotent: a
 * change that the history already holds is not applied twice.
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

/** How a forecast ended, and the values that enter the history. */
interface Outcome {
  readonly isCompleted: boolean;
  readonly initTime: EpochMicros | null;
  readonly completedAt: EpochMicros | null;
  /** Null also for a failed forecast, whose score does not count. */
  readonly score: number | null;
}

/**
 * A forecast counts as finished by its status alone, also while the step that set the status is running and there is no
 * completion time.
 */
function outcomeOf(row: ForecastRow | null): Outcome | null {
  const end = row === null ? null : countedEnd(row);
  if (row === null || end === null || end === 'excused') return null;
  const { initTime, completedAt, combinedScore } = row;
  const isCompleted = end === 'completed';
  return { isCompleted, initTime, completedAt, score: isCompleted ? combinedScore : null };
}

/** Whether the outcome is unchanged except for values that were null and are now known. */
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
 * Current streak (domain 5.3): the block of equal outcomes at the newest end, in the order of places; forecasts in
 * flight neither count nor break it. A new newest outcome extends the streak or starts the opposite one.
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
