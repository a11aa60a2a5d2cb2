import type { ScoreSums } from '#facts/step-fact';
import { combinedScore, overallForecastScore } from '#scoring/forecast-score';
import { ERA5_LEAD_HOURS } from '#semconv';
import type { ForecastFold } from './forecast-fold.ts';
import { byFamily, type LwwRegister } from './lww-register.ts';

/** The columns of `weather_forecast_stats` that follow from the scores of a forecast. */
export interface ForecastScores {
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
}

type Families = ReturnType<typeof byFamily>;

const registersOf = <Value>(families: Families, name: string): readonly LwwRegister<Value>[] =>
  (families[name] ?? []) as readonly LwwRegister<Value>[];

const ERA5_LEADS = ERA5_LEAD_HOURS.map((lead) => `lead:${lead}` as const);

/** Derives the scores of a forecast from its fold. */
export function toForecastScores(newest: ForecastFold['newest']): ForecastScores {
  const families = byFamily(newest);
  const leads = registersOf<number | null>(families, 'lead').map(({ value }) => value);
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
    ...averageColumns(families),
  };
}

/**
 * Means over all variables and levels of the ERA5 leads scored so far, units mixed; of day one before the first lead.
 */
function averageColumns(families: Families): Pick<ForecastScores, 'avgRmse' | 'avgAcc' | 'avgSkillScore'> {
  const era5Sums = registersOf<ScoreSums>(families, 'sums:era5');
  const registers = era5Sums.length > 0 ? era5Sums : registersOf<ScoreSums>(families, 'sums:day1');
  const sums = registers.map(({ value }) => value);
  const mean = (metric: 'rmse' | 'acc' | 'skillScore'): number | null => {
    const count = sums.reduce((total, sum) => total + sum[metric].count, 0);
    return count === 0 ? null : sums.reduce((total, sum) => total + sum[metric].sum, 0) / count;
  };
  return { avgRmse: mean('rmse'), avgAcc: mean('acc'), avgSkillScore: mean('skillScore') };
}
