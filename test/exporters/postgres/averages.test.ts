import { describe, expect, it } from 'vitest';
import { queryRows, useTestDatabase, writeBatches } from '#test/exporters/postgres/support/database';
import { endedSpan } from '#test/support/spans';

const database = useTestDatabase();

/** A completed forecast of two leads, both of one score. */
const forecast = (run: number, score: number) => [
  ...[24, 48].map((lead) =>
    endedSpan({
      step: 'era5',
      run,
      lead,
      attributes: { 'weather.score.era5': score, 'weather.run.expected_leads': 2 },
    }),
  ),
  endedSpan({
    step: 'aggregate',
    run,
    at: 5000,
    attributes: { 'weather.forecast.status': 'completed', 'weather.run.expected_leads': 2 },
  }),
];

describe('the average score of a miner', () => {
  it('an average of equal scores is that score, although sums are rounded to 1e-12', async () => {
    const score = 0.1234567890126;
    expect(Math.round(score * 1e12) / 1e12).toBeGreaterThan(score);
    await writeBatches(database.pool, [[...forecast(1, score), ...forecast(2, score)]]);
    const rows = await queryRows(
      database.pool,
      `select avg_forecast_score as avg, best_forecast_score as best, worst_forecast_score as worst
       from miner_stats`,
    );
    expect(rows).toEqual([{ avg: score, best: score, worst: score }]);
  });
});
