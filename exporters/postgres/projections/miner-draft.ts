import type { ErrorFact, StateFact, StepFact } from '#facts/step-fact';
import { countsAsError, type ErrorCategory } from '#semconv';
import {
  addToSum,
  fromSumDraft,
  toSumDraft,
  replaceInSum,
  type ExactSum,
  type SumDraft,
} from './exact-sum.ts';
import type { ForecastRow } from './forecast-row.ts';
import type { MinerFold } from './miner-fold.ts';
import { countedEnd } from './forecast-state.ts';
import { compareTimestamps, logicalTimestampOf, type TimedFact } from './lww-register.ts';

/** Mutable draft of a fold. */
export type MinerDraft = {
  -readonly [Name in keyof MinerFold]: MinerFold[Name] extends ExactSum ? SumDraft : MinerFold[Name];
} & { errors: Partial<Record<ErrorCategory, number>> };

/** Mutable copy; the fold itself stays unchanged. */
export const toDraft = (fold: MinerFold): MinerDraft => ({
  ...fold,
  errors: { ...fold.errors },
  hostingLatency: toSumDraft(fold.hostingLatency),
  forecastScore: toSumDraft(fold.forecastScore),
  day1Score: toSumDraft(fold.day1Score),
  leadScore: toSumDraft(fold.leadScore),
  completeness: toSumDraft(fold.completeness),
  inferenceTime: toSumDraft(fold.inferenceTime),
});

export const fromDraft = (draft: MinerDraft): MinerFold => ({
  ...draft,
  hostingLatency: fromSumDraft(draft.hostingLatency),
  forecastScore: fromSumDraft(draft.forecastScore),
  day1Score: fromSumDraft(draft.day1Score),
  leadScore: fromSumDraft(draft.leadScore),
  completeness: fromSumDraft(draft.completeness),
  inferenceTime: fromSumDraft(draft.inferenceTime),
});

/** The part of a fact that counts for its miner. */
export type CountedFact = TimedFact &
  Pick<StepFact, 'stepName' | 'minerUid' | 'latencyNanos'> & {
    readonly state: Pick<StateFact, 'transport' | 'superseded'>;
    readonly error: Pick<ErrorFact, 'type'> | null;
  };

/** Applies the idempotent part of a fact: the newest UID, whether a run took the miner in, when it was first seen and last active. */
export function touchMiner(draft: MinerDraft, fact: CountedFact): void {
  const at = logicalTimestampOf(fact);
  const { minerUid } = fact;
  if (minerUid !== null && (draft.uid === null || compareTimestamps(at, draft.uid.at) > 0))
    draft.uid = { at, value: minerUid };
  if (fact.stepName === 'seed') draft.selected = true;
  draft.firstSeen = Math.min(draft.firstSeen ?? Infinity, fact.startedAt);
  if (fact.phase === 'ended' && fact.state.transport === 'success')
    draft.lastActive = Math.max(draft.lastActive ?? -Infinity, at[0]);
  draft.updatedAt = Math.max(draft.updatedAt, at[0]);
}

/** Applies the counters of a fact whose log row is new; with `sign` −1 reverts those of a removed row. */
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

/** The contribution of one forecast to the fold of its miner. */
interface Contribution {
  readonly completed: number;
  readonly failed: number;
  readonly excused: number;
  readonly forecastScore: number | null;
  readonly completeness: number | null;
  readonly day1Score: number | null;
  readonly leadScores: readonly (number | null)[];
  readonly inferenceTime: number | null;
}

function contributionOf(row: ForecastRow | null): Contribution {
  const end = row === null ? null : countedEnd(row);
  return {
    completed: end === 'completed' ? 1 : 0,
    failed: end === 'failed' ? 1 : 0,
    excused: end === 'excused' ? 1 : 0,
    forecastScore: end === 'completed' ? (row?.combinedScore ?? null) : null,
    completeness: end === 'completed' || end === 'failed' ? (row?.completeness ?? null) : null,
    day1Score: row?.scoreInitial ?? null,
    leadScores: row?.era5Scores ?? [],
    inferenceTime: row?.inferenceDurationSeconds ?? null,
  };
}

/** A fold without excused forecasts has no such member, as those that were stored before it existed. */
function countExcused(draft: MinerDraft, change: number): void {
  const excused = (draft.excused ?? 0) + change;
  if (excused === 0) Reflect.deleteProperty(draft, 'excused');
  else draft.excused = excused;
}

/** Replaces the previous contribution of a forecast by its current one. */
export function countForecast(draft: MinerDraft, before: ForecastRow | null, after: ForecastRow): void {
  const previous = contributionOf(before);
  const current = contributionOf(after);
  draft.completed += current.completed - previous.completed;
  draft.failed += current.failed - previous.failed;
  countExcused(draft, current.excused - previous.excused);
  replaceInSum(draft.forecastScore, previous.forecastScore, current.forecastScore);
  replaceInSum(draft.completeness, previous.completeness, current.completeness);
  replaceInSum(draft.day1Score, previous.day1Score, current.day1Score);
  for (const [lead, score] of current.leadScores.entries())
    replaceInSum(draft.leadScore, previous.leadScores[lead] ?? null, score);
  replaceInSum(draft.inferenceTime, previous.inferenceTime, current.inferenceTime);
}
