import type { ErrorCategory } from '#semconv';
import { combinedScore, overallForecastScore } from '#scoring';
import type { LeadRow } from '../control/lead-row.ts';

/** The scores of one miner's forecast after all its leads have ended. */
export interface ForecastSummary {
  /** Whether at least one lead was scored against ERA5. */
  readonly isCompleted: boolean;
  readonly expectedLeads: number;
  readonly scoredLeads: number;
  /** Share of the expected leads that were scored, 0 to 1. */
  readonly completeness: number;
  /** Null when day one has no score; 0 is a score. */
  readonly day1Score: number | null;
  /** Mean over the expected leads, a missing one counting 0; null when no lead was scored. */
  readonly combinedScore: number | null;
  readonly overallScore: number | null;
  /** The failure of the first ERA5 lead; null when that has a score. */
  readonly era5Failure: ErrorCategory | null;
  /** The leads without a score, with the reason: `era5 72 h: verification_chunk`. */
  readonly missing: readonly string[];
}

/** Sums up the leads of a forecast. */
export function summarizeForecast(leads: readonly LeadRow[], expectedLeads: number): ForecastSummary {
  const era5 = leads.filter(({ scoreType }) => scoreType === 'era5');
  const day1Score = leads.find(({ scoreType }) => scoreType === 'day1')?.score ?? null;
  const leadScores = era5.map(({ score }) => score);
  const combined = combinedScore(leadScores, expectedLeads);
  return {
    isCompleted: combined !== null,
    expectedLeads,
    scoredLeads: combined?.scoredLeads ?? 0,
    completeness: combined?.completeness ?? 0,
    day1Score,
    combinedScore: combined?.score ?? null,
    overallScore: overallForecastScore({ leadScores, expectedLeads, day1Score }),
    era5Failure: era5[0]?.failureCategory ?? null,
    missing: leads
      .filter(({ score }) => score === null)
      .map((lead) => `${lead.scoreType} ${lead.leadHours} h: ${lead.failureCategory ?? lead.state}`),
  };
}
