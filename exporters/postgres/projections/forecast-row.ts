import type { EpochMicros } from '#facts/step-fact';
import { isoOfMicros } from '#facts/instants';
import type { HostingStatus } from '#semconv';
import { memoize } from '#semconv/memoize';
import type { ForecastFold } from './forecast-fold.ts';
import { toForecastPosition, type ForecastPosition } from './forecast-state.ts';
import { toForecastScores, type ForecastScores } from './forecast-scores.ts';
import { noEffect, type RunEffect } from './run-effect.ts';

/** The columns of `weather_forecast_stats` that follow from its fold and from what its run adds. */
export interface ForecastRow extends ForecastPosition, ForecastScores {
  readonly minerUid: number | null;
  readonly forecastRunId: string | null;
  readonly initTime: EpochMicros | null;
  readonly forecastType: string | null;
  readonly inferenceDurationSeconds: number | null;
  readonly inputSources: unknown;
  readonly hostingStatus: HostingStatus | null;
  readonly hostingLatencyMs: number | null;
  readonly traceId: string | null;
  readonly createdAt: EpochMicros;
  readonly updatedAt: EpochMicros;
}

/** Derives the row of a forecast from its fold and from what its run adds. */
export function toForecastRow(fold: ForecastFold, run: RunEffect = noEffect): ForecastRow {
  const { newest, oldest } = fold;
  const position = toForecastPosition(fold, run);
  return {
    minerUid: newest.uid?.value ?? null,
    forecastRunId: forecastRunId(newest.initTime?.value ?? null, newest.targetTime?.value ?? null),
    initTime: newest.initTime?.value ?? null,
    ...position,
    ...toForecastScores(newest),
    forecastType: newest.forecastType?.value ?? null,
    inferenceDurationSeconds: newest.inferenceDurationSeconds?.value ?? null,
    inputSources: newest.inputSources?.value ?? null,
    hostingStatus: newest.hosting?.value.status ?? null,
    hostingLatencyMs: newest.hosting?.value.latencyMs ?? null,
    traceId: oldest.trace ? oldest.trace.value : null,
    createdAt: oldest.trace?.at[0] ?? 0,
    updatedAt: Math.max(newest.updated?.at[0] ?? 0, position.changedByRunAt),
  };
}

/** `forecast_{T0}_to_{target}`, each as YYYYMMDD_HH in UTC. */
function forecastRunId(initTime: EpochMicros | null, targetTime: EpochMicros | null): string | null {
  if (initTime === null) return null;
  return `forecast_${hourOf(initTime)}_to_${hourOf(targetTime ?? initTime)}`;
}
const hourOf = memoize((micros: EpochMicros) => {
  const iso = isoOfMicros(micros);
  return `${iso.slice(0, 10).replaceAll('-', '')}_${iso.slice(11, 13)}`;
});
