import type { ErrorFact, StateFact, StepFact } from '#facts/step-fact';
import { countsAsError, type ErrorCategory } from '#semconv';
import { addToSum, closeSum, openSum, replaceInSum, type ExactSum, type SumDraft } from './exact-sum.ts';
import type { ForecastRow } from './forecast-row.ts';
import type { MinerFold } from './miner-fold.ts';
import { isFinished } from './miner-history.ts';
import { compareTimestamps, logicalTimestampOf, type TimedFact } from './lww-register.ts';

/** A mutable fold: one copy a batch instead of one a fact. */
export type MinerDraft = {
  -readonly [Name in keyof MinerFold]: MinerFold[Name] extends ExactSum ? SumDraft : MinerFold[Name];
} & { errors: Partial<Record<ErrorCategory, number>> };

/** Copies a fold into a draft; the fold itself is not changed. */
export const toDraft = (fold: MinerFold): MinerDraft => ({
  ...fold,
  errors: { ...fold.errors },
  hostingLatency: openSum(fold.hostingLatency),
  forecastScore: openSum(fold.forecastScore),
  day1Score: openSum(fold.day1Score),
  leadScore: openSum(fold.leadScore),
  completeness: openSum(fold.completeness),
  inferenceTime: openSum(fold.inferenceTime),
});

export const fromDraft = (draft: MinerDraft): MinerFold => ({
  ...draft,
  hostingLatency: closeSum(draft.hostingLatency),
  forecastScore: closeSum(draft.forecastScore),
  day1Score: closeSum(draft.day1Score),
  leadScore: closeSum(draft.leadScore),
  completeness: closeSum(draft.completeness),
  inferenceTime: closeSum(draft.inferenceTime),
});

/** The part of a fact that counts for its miner. */
export type CountedFact = TimedFact &
  Pick<StepFact, 'stepName' | 'minerUid' | 'latencyNanos'> & {
    readonly state: Pick<StateFact, 'transport'>;
    readonly error: Pick<ErrorFact, 'type'> | null;
  };

/** Idempotent part of any fact: the newest UID slot, and when the miner was first seen. */
export function touchMiner(draft: MinerDraft, fact: CountedFact): void {
  const at = logicalTimestampOf(fact);
  const { minerUid } = fact;
  if (minerUid !== null && (draft.uid === null || compareTimestamps(at, draft.uid.at) > 0))
    draft.uid = { at, value: minerUid };
  draft.firstSeen = Math.min(draft.firstSeen ?? Infinity, fact.startedAt);
  if (fact.phase === 'ended' && fact.state.transport === 'success')
    draft.lastActive = Math.max(draft.lastActive ?? -Infinity, at[0]);
  draft.updatedAt = Math.max(draft.updatedAt, at[0]);
}

/** Adds a fact whose log row is new to the counters; with `sign` −1 subtracts one whose row was replaced. */
export function countStep(draft: MinerDraft, fact: CountedFact, sign: 1 | -1 = 1): void {
  const { transport } = fact.state;
  if (transport === 'failure') draft.hostingFailures += sign;
  if (transport === 'success') {
    draft.hostingSuccesses += sign;
    addToSum(draft.hostingLatency, fact.latencyNanos === null ? null : fact.latencyNanos / 1e6, sign);
  }
  const type = fact.error?.type;
  if (type !== undefined && countsAsError(fact.stepName, type)) countError(draft.errors, type, sign);
}

function countError(errors: MinerDraft['errors'], type: ErrorCategory, sign: 1 | -1): void {
  const count = (errors[type] ?? 0) + sign;
  if (count === 0) Reflect.deleteProperty(errors, type);
  else errors[type] = count;
}

/** What one forecast contributes. */
interface Contribution {
  readonly completed: number;
  readonly failed: number;
  readonly forecastScore: number | null;
  readonly completeness: number | null;
  readonly day1Score: number | null;
  readonly leadScores: readonly (number | null)[];
  readonly inferenceTime: number | null;
}

function contributionOf(row: ForecastRow | null): Contribution {
  const finished = row !== null && isFinished(row);
  const completed = finished && row.forecastStatus === 'completed';
  return {
    completed: completed ? 1 : 0,
    failed: finished && !completed ? 1 : 0,
    forecastScore: completed ? row.combinedScore : null,
    completeness: finished ? row.completeness : null,
    day1Score: row?.scoreInitial ?? null,
    leadScores: row?.era5Scores ?? [],
    inferenceTime: row?.inferenceDurationSeconds ?? null,
  };
}

/** Replaces the contribution of a forecast by its new one. */
export function countForecast(draft: MinerDraft, before: ForecastRow | null, after: ForecastRow): void {
  const was = contributionOf(before);
  const is = contributionOf(after);
  draft.completed += is.completed - was.completed;
  draft.failed += is.failed - was.failed;
  replaceInSum(draft.forecastScore, was.forecastScore, is.forecastScore);
  replaceInSum(draft.completeness, was.completeness, is.completeness);
  replaceInSum(draft.day1Score, was.day1Score, is.day1Score);
  for (const [lead, score] of is.leadScores.entries())
    replaceInSum(draft.leadScore, was.leadScores[lead] ?? null, score);
  replaceInSum(draft.inferenceTime, was.inferenceTime, is.inferenceTime);
}
