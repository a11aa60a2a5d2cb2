import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPostgresExporter } from '#postgres/exporter';
import { readMinerStats } from '#postgres/queries/read-miner-stats';
import type { MinerStats } from '#facts/miner-stats';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';
import { RECORDED_RUNS } from '#test/support/recorded-runs';
import { endedSpan, startOfSpan } from '#test/support/spans';

let database: TestDatabase;
let committed: readonly MinerStats[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
  const exporter = createPostgresExporter({
    pool: database.pool,
    onCommit: ({ minerStats }) => (committed = minerStats),
  });
  expect(await exporter.exportObserved(RECORDED_RUNS)).toEqual({ kind: 'written' });
});
afterAll(async () => {
  await database.drop();
});

const byHotkey = (rows: readonly MinerStats[]) =>
  [...rows].sort((a, b) => (a.minerHotkey < b.minerHotkey ? -1 : 1));

describe('readMinerStats', () => {
  it('rows are read as numbers and microseconds', async () => {
    const good = (await readMinerStats(database.pool)).find(({ minerHotkey }) => minerHotkey === '5Good');
    expect(good).toMatchObject({
      validatorHotkey: '5Validator',
      minerUid: 7,
      minerRank: 1,
      avgForecastScore: 0.625,
      successfulForecasts: 2,
      failedForecasts: 0,
      hostingSuccesses: 3,
      hostingFailures: 3,
      avgHostingLatencyMs: 40,
      totalInferenceTime: 1200,
      commonErrors: { timeout: 3, truth_missing: 1 },
      errorRateByType: { timeout: 0.75, truth_missing: 0.25 },
      lastFailedForecast: null,
      firstSeen: Date.UTC(2026, 10, 23, 18) * 1000 + 207_000,
    });
    for (const value of Object.values(good ?? {})) expect(typeof value).not.toBe('bigint');
  });

  it('the rows equal those that onCommit received, to the last bit', async () => {
    expect(byHotkey(committed)).toEqual(byHotkey(await readMinerStats(database.pool)));
    expect(committed).toHaveLength(5);
  });

  it('a miner is selected once a run has begun to take it in, and not because other steps name it', async () => {
    const miners = ['5Taken', '5Begun', '5Named'].map((hotkey, uid) => ({ uid, hotkey }));
    const spans = miners.flatMap((miner, at) => [
      endedSpan({ step: 'query', validator: '5Selecting', miner, at }),
      ...(miner.hotkey === '5Named' ? [] : [endedSpan({ step: 'seed', validator: '5Selecting', miner, at })]),
    ]);
    const begun = spans.map((span) =>
      span.attributes['weather.miner.hotkey'] === '5Begun' ? startOfSpan(span) : span,
    );
    const exporter = createPostgresExporter({ pool: database.pool });
    for (const span of begun) expect(await exporter.exportObserved([span])).toEqual({ kind: 'written' });
    const read = (await readMinerStats(database.pool)).filter(
      ({ validatorHotkey }) => validatorHotkey === '5Selecting',
    );
    expect(byHotkey(read).map(({ minerHotkey, isSelected }) => [minerHotkey, isSelected])).toEqual([
      ['5Begun', true],
      ['5Named', false],
      ['5Taken', true],
    ]);
  });

  it('only the requested miners are read', async () => {
    const asked = [
      { validatorId: 1, minerHotkey: '5Gone' },
      { validatorId: 2, minerHotkey: '5Good' },
    ];
    const found = await readMinerStats(database.pool, asked);
    expect(found.map(({ minerHotkey }) => minerHotkey)).toEqual(['5Gone']);
    expect(await readMinerStats(database.pool, [])).toEqual([]);
  });

  it('onCommit also receives miners whose rank changed by the score of another', async () => {
    const overtaking = endedSpan({
      step: 'era5',
      run: 9,
      lead: 24,
      miner: { uid: 30, hotkey: '5Newcomer' },
      attributes: {
        'weather.score.era5': 1,
        'weather.run.expected_leads': 1,
        'weather.forecast.status': 'completed',
      },
    });
    const exporter = createPostgresExporter({
      pool: database.pool,
      onCommit: ({ minerStats }) => (committed = minerStats),
    });
    await exporter.exportObserved([overtaking]);
    expect(byHotkey(committed).map(({ minerHotkey, minerRank }) => [minerHotkey, minerRank])).toEqual([
      ['5Good', 2],
      ['5Newcomer', 1],
    ]);
  });
});
