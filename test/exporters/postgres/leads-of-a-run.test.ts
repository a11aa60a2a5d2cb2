import { expect, it } from 'vitest';
import { createPostgresExporter } from '#postgres/exporter';
import { useTestDatabase } from '#test/exporters/postgres/support/database';
import { endedSpan } from '#test/support/spans';

const database = useTestDatabase();

it('missing_scores lists only leads that the run expects', async () => {
  const scored = { uid: 1, hotkey: '5Scored' };
  const failed = { uid: 2, hotkey: '5Failed' };
  const of = (miner: typeof scored, lead: number, at: number, score?: number) =>
    endedSpan({
      step: 'era5',
      miner,
      lead,
      at,
      ...(score === undefined ? { error: { type: 'data_coverage', message: 'too few values' } } : {}),
      attributes: {
        'weather.run.expected_leads': 2,
        ...(score === undefined ? {} : { 'weather.score.era5': score }),
      },
    });
  const exporter = createPostgresExporter({ pool: database.pool });
  const spans = [of(scored, 36, 1, 0.9), of(scored, 72, 2, 0.8), of(failed, 36, 3), of(failed, 72, 4, 0)];
  expect(await exporter.exportObserved(spans)).toEqual({ kind: 'written' });
  const { rows } = await database.pool.query(
    `select miner_hotkey, lead_hours, error_type from missing_scores where score_type = 'era5' order by 1, 2`,
  );
  expect(rows).toEqual([{ miner_hotkey: '5Failed', lead_hours: 36, error_type: 'data_coverage' }]);
});
