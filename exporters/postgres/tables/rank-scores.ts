/** A forecast of a run, with the rank that it has. */
export interface RankedScore {
  readonly minerHotkey: string;
  readonly score: number | null;
  readonly rank: number | null;
}

/** The forecasts whose rank is another now: the best score is 1, ties are alike (1, 1, 3), none without a score. */
export function rankScores(forecasts: readonly RankedScore[]): readonly RankedScore[] {
  const ranks = new Map<number, number>();
  const scores = forecasts.flatMap(({ score }) => (score === null ? [] : [score])).sort((a, b) => b - a);
  for (const [index, score] of scores.entries()) if (!ranks.has(score)) ranks.set(score, index + 1);
  return forecasts.flatMap((forecast) => {
    const rank = forecast.score === null ? null : (ranks.get(forecast.score) ?? null);
    return rank === forecast.rank ? [] : [{ ...forecast, rank }];
  });
}
