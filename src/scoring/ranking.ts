/** A forecast of a run, with its stored rank. */
export interface RankedScore {
  readonly score: number | null;
  readonly rank: number | null;
}

/**
 * Competition ranking (1, 1, 3) by falling score (domain 5.3): one more than the number of higher scores, so that equal
 * scores share a rank. A score that is null or not finite has no rank and occupies none.
 *
 * @returns only the forecasts whose rank has changed, with the new rank, in the order given
 */
export function rankScores<Forecast extends RankedScore>(
  forecasts: readonly Forecast[],
): readonly (Forecast & RankedScore)[] {
  const ranks = new Map<number, number>();
  const scores = forecasts.flatMap(({ score }) => (score !== null && Number.isFinite(score) ? [score] : []));
  for (const [index, score] of scores.sort((a, b) => b - a).entries())
    if (!ranks.has(score)) ranks.set(score, index + 1);
  return forecasts.flatMap((forecast) => {
    const rank = forecast.score === null ? null : (ranks.get(forecast.score) ?? null);
    return rank === forecast.rank ? [] : [{ ...forecast, rank }];
  });
}
