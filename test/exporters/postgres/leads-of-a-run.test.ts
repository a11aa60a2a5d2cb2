import { expect, it } from 'vitest';
import { createPostgresExporter } from '#postgres/exporter';
import { maintainPartitions } from '#postgres/retention/retention';
import { useTestDatabase } from '#test/exporters/postgres/support/database';
import type { ErrorCategory } from '#semconv';
import { endedSpan, T } from '#test/support/spans';

const database = useTestDatabase({ isEmptiedBeforeEach: true });

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

it('missing_scores says the same of an ended run when retention has dropped its steps', async () => {
  const miner = { uid: 1, hotkey: '5Miner' };
  const other = { uid: 2, hotkey: '5Other' };
  const failed = (lead: number, type: ErrorCategory, message: string) =>
    endedSpan({ step: 'era5', miner, lead, at: lead, status: 'failed', error: { type, message } });
  const scored = (lead: number) =>
    endedSpan({ step: 'era5', miner: other, lead, at: lead + 1, attributes: { 'weather.score.era5': 0.5 } });
  const end = (of: typeof miner | null, attributes: Readonly<Record<string, string>>) =>
    endedSpan({ step: of === null ? 'orchestration' : 'aggregate', miner: of, at: 500, attributes });
  const spans = [
    ...[failed(36, 'data_coverage', 'too few values'), failed(72, 'timeout', 'the store did not answer')],
    ...[scored(36), scored(72)],
    ...[miner, other].map((of) => end(of, { 'weather.forecast.status': 'completed' })),
    end(null, { 'weather.run.status': 'completed' }),
  ];
  expect(await createPostgresExporter({ pool: database.pool }).exportObserved(spans)).toEqual({
    kind: 'written',
  });
  const missing = async () => {
    const { rows } = await database.pool.query(
      `select miner_hotkey, score_type, lead_hours, status, error_type, reason, fault from missing_scores
       where score_type = 'era5' order by 1, 2, 3`,
    );
    return rows as readonly Record<string, unknown>[];
  };
  const before = await missing();
  expect(before.map(({ lead_hours: lead, error_type: type, reason }) => [lead, type, reason])).toEqual([
    [36, 'data_coverage', 'too few values'],
    [72, 'timeout', 'the store did not answer'],
  ]);
  const now = new Date(Number(T / 1_000_000n) + 60 * 86_400_000);
  await maintainPartitions(database.pool, { now, retention: { weather_forecast_steps: 7 } });
  expect((await database.pool.query('select from weather_forecast_steps')).rowCount).toBe(0);
  expect(await missing()).toEqual(before);
});
