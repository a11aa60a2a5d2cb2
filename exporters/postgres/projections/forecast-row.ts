import type { EpochMicros, ScoreSums } from '#facts/step-fact';
import { isoOfMicros } from '#facts/instants';
import { combinedScore, overallForecastScore } from '#scoring/forecast-score';
import {
  ERA5_LEAD_HOURS,
  TERMINAL_FORECAST_STATUSES,
  toStage,
  type ForecastStatus,
  type HostingStatus,
  type StageStatus,
} from '#semconv';
import { memoize } from '#semconv/memoize';
import type { ForecastFold, ForecastValues, SlotError, SlotState } from './forecast-fold.ts';
import { byFamily, compareTimestamps, newestOf, type LwwRegister } from './lww-register.ts';

/** The columns of `weather_forecast_stats` that follow from its fold. */
export interface ForecastRow {
  readonly minerUid: number | null;
  readonly forecastRunId: string | null;
  readonly initTime: EpochMicros | null;
  readonly forecastStatus: ForecastStatus;
  readonly stage: string | null;
  readonly stageStatus: StageStatus | null;
  readonly stageSince: EpochMicros | null;
  readonly error: { readonly type: string; readonly message: string; readonly timestamp: string } | null;
  readonly retriesRemaining: number | null;
  readonly nextScheduledRetry: EpochMicros | null;
  readonly scoreInitial: number | null;
  /** By lead, in the order of ERA5_LEAD_HOURS. */
  readonly era5Scores: readonly (number | null)[];
  readonly scoredLeads: number;
  readonly expectedLeads: number | null;
  readonly combinedScore: number | null;
  readonly completeness: number;
  readonly overallScore: number | null;
  readonly avgRmse: number | null;
  readonly avgAcc: number | null;
  readonly avgSkillScore: number | null;
  readonly forecastType: string | null;
  readonly inferenceDurationSeconds: number | null;
  readonly inputSources: unknown;
  readonly hostingStatus: HostingStatus | null;
  readonly hostingLatencyMs: number | null;
  readonly completedAt: EpochMicros | null;
  readonly traceId: string | null;
  readonly createdAt: EpochMicros;
  readonly updatedAt: EpochMicros;
}

/** The register families of a forecast, each sorted by name. */
interface Families {
  readonly slots: readonly LwwRegister<SlotState>[];
  readonly errors: readonly LwwRegister<SlotError>[];
  readonly leads: readonly LwwRegister<number | null>[];
  readonly era5Sums: readonly LwwRegister<ScoreSums>[];
  readonly day1Sums: readonly LwwRegister<ScoreSums>[];
}

/** Derives the row of a forecast from its fold. */
export function toForecastRow({ newest, oldest }: ForecastFold): ForecastRow {
  const stage = stageOf(newest)?.value;
  const status = statusOf(newest);
  const families = familiesOf(newest);
  return {
    minerUid: newest.uid?.value ?? null,
    forecastRunId: forecastRunId(newest.initTime?.value ?? null, newest.targetTime?.value ?? null),
    initTime: newest.initTime?.value ?? null,
    forecastStatus: status ?? 'pending',
    stage: stage?.stage ?? null,
    stageStatus: stageStatus(newest, families),
    stageSince: stage ? (oldest[`stage:${toStage(stage.stage)}`]?.at[0] ?? null) : null,
    error: newestError(families),
    ...retryColumns(families),
    ...scoreColumns(newest, families),
    ...averageColumns(families),
    forecastType: newest.forecastType?.value ?? null,
    inferenceDurationSeconds: newest.inferenceDurationSeconds?.value ?? null,
    inputSources: newest.inputSources?.value ?? null,
    hostingStatus: newest.hosting?.value.status ?? null,
    hostingLatencyMs: newest.hosting?.value.latencyMs ?? null,
    completedAt: completionTime(status, oldest),
    traceId: oldest.trace ? oldest.trace.value : null,
    createdAt: oldest.trace?.at[0] ?? 0,
    updatedAt: newest.updated?.at[0] ?? 0,
  };
}

function familiesOf(newest: ForecastFold['newest']): Families {
  const families = byFamily(newest);
  return {
    slots: registersOf(families, 'slot', 'slot:era5'),
    errors: registersOf(families, 'error', 'error:era5'),
    leads: registersOf(families, 'lead'),
    era5Sums: registersOf(families, 'sums:era5'),
    day1Sums: registersOf(families, 'sums:day1'),
  };
}

const registersOf = <Value>(
  families: ReturnType<typeof byFamily>,
  ...names: readonly string[]
): readonly LwwRegister<Value>[] =>
  names.flatMap((name) => (families[name] ?? []) as readonly LwwRegister<Value>[]);

/** `forecast_{T0}_to_{target}`, each as YYYYMMDD_HH in UTC. */
function forecastRunId(initTime: EpochMicros | null, targetTime: EpochMicros | null): string | null {
  if (initTime === null) return null;
  return `forecast_${hourOf(initTime)}_to_${hourOf(targetTime ?? initTime)}`;
}
const hourOf = memoize((micros: EpochMicros) => {
  const iso = isoOfMicros(micros);
  return `${iso.slice(0, 10).replaceAll('-', '')}_${iso.slice(11, 13)}`;
});

/** The terminal status if there is one, else the newest. */
const statusOf = ({ end, forecastStatus }: ForecastFold['newest']): ForecastStatus | null =>
  end?.value.forecastStatus ?? forecastStatus?.value ?? null;

function stageOf({ end, stage }: ForecastFold['newest']): LwwRegister<ForecastValues['stage']> | undefined {
  return end?.value.stage === undefined ? stage : { at: end.at, value: end.value.stage };
}

/** An abandoned step does not write its stage, so the status `error` is derived from its slot. */
function stageStatus(newest: ForecastFold['newest'], { slots }: Families): StageStatus | null {
  const stage = stageOf(newest);
  if (stage === undefined) return null;
  const slot = newestOf(slots);
  const hasEnded = newest.end !== undefined;
  const isAbandoned = slot?.value.abandoned != null && compareTimestamps(slot.at, stage.at) > 0;
  return isAbandoned && !hasEnded ? 'error' : stage.value.status;
}

function newestError({ errors, slots }: Families): ForecastRow['error'] {
  const abandoned = slots.map(({ at, value }) => ({ at, value: value.abandoned ?? null }));
  const register = newestOf([...errors, ...abandoned].filter(({ value }) => value !== null));
  if (!register?.value) return null;
  return { ...register.value, timestamp: isoOfMicros(register.at[0]) };
}

/**
 * The earliest scheduled retry, with the retries remaining of its step. With none scheduled, those of the newest step:
 * all of them once it succeeded, since the next failure starts a new count.
 */
function retryColumns({ slots }: Families): Pick<ForecastRow, 'retriesRemaining' | 'nextScheduledRetry'> {
  const pending = slots.filter(({ value }) => value.nextRetryTime !== null).sort(byRetryTime)[0];
  const { value: slot } = pending ?? newestOf(slots) ?? {};
  if (slot === undefined) return { retriesRemaining: null, nextScheduledRetry: null };
  const used = slot.status === 'succeeded' ? 1 : slot.attempt;
  return {
    retriesRemaining: slot.maxAttempts === null ? null : Math.max(0, slot.maxAttempts - used),
    nextScheduledRetry: slot.nextRetryTime,
  };
}

const byRetryTime = (a: LwwRegister<SlotState>, b: LwwRegister<SlotState>): number =>
  (a.value.nextRetryTime ?? 0) - (b.value.nextRetryTime ?? 0);

const ERA5_LEADS = ERA5_LEAD_HOURS.map((lead) => `lead:${lead}` as const);

function scoreColumns(newest: ForecastFold['newest'], families: Families) {
  const leads = families.leads.map(({ value }) => value);
  const expectedLeads = newest.expectedLeads?.value ?? null;
  const scored = leads.filter((score) => score !== null);
  const scoreInitial = newest.scoreInitial?.value ?? null;
  const expected = expectedLeads ?? ERA5_LEAD_HOURS.length;
  const combined = combinedScore(leads, expected);
  return {
    scoreInitial,
    era5Scores: ERA5_LEADS.map((lead) => newest[lead]?.value ?? null),
    scoredLeads: scored.length,
    expectedLeads,
    combinedScore: combined?.score ?? null,
    completeness: combined?.completeness ?? 0,
    overallScore: overallForecastScore({
      leadScores: leads,
      expectedLeads: expected,
      day1Score: scoreInitial,
    }),
  };
}

/**
 * Means over all variables and levels of the ERA5 leads scored so far, units mixed; of day one before the first lead.
 */
function averageColumns({
  era5Sums,
  day1Sums,
}: Families): Pick<ForecastRow, 'avgRmse' | 'avgAcc' | 'avgSkillScore'> {
  const sums = (era5Sums.length > 0 ? era5Sums : day1Sums).map(({ value }) => value);
  const mean = (metric: 'rmse' | 'acc' | 'skillScore'): number | null => {
    const count = sums.reduce((total, sum) => total + sum[metric].count, 0);
    return count === 0 ? null : sums.reduce((total, sum) => total + sum[metric].sum, 0) / count;
  };
  return { avgRmse: mean('rmse'), avgAcc: mean('acc'), avgSkillScore: mean('skillScore') };
}

/** When a real end first set the terminal status; a repetition does not move it. */
function completionTime(status: ForecastStatus | null, oldest: ForecastFold['oldest']): EpochMicros | null {
  const terminal: readonly ForecastStatus[] = TERMINAL_FORECAST_STATUSES;
  return status !== null && terminal.includes(status) ? (oldest[`status:${status}`]?.at[0] ?? null) : null;
}
