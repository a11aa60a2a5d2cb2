import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, it, vi } from 'vitest';
import type { PrometheusExporter } from '#prometheus/exporter';
import { METRICS } from '#semconv/metrics';
import {
  AT,
  BUSY_STATE,
  componentScore,
  errorFact,
  exporterFor,
  minerStats,
  OPENMETRICS,
  seriesOf,
  stepFact,
  wholeTable,
} from './fixtures.ts';

const BUSY_MINER = minerStats({
  minerRank: 1,
  avgForecastScore: 0.62,
  successfulForecasts: 6,
  failedForecasts: 2,
  forecastSuccessRatio: 0.75,
  hostingSuccesses: 40,
  hostingFailures: 2,
  hostReliabilityRatio: 0.9523809523809523,
  avgHostingLatencyMs: 850,
  avgEra5Score: 0,
  lastSuccessfulForecast: AT,
  consecutiveSuccesses: 3,
  totalInferenceTime: 28_800,
  commonErrors: { timeout: 3, verification_manifest: 1 },
  errorRateByType: { timeout: 0.75, verification_manifest: 0.25 },
});

const HELD = {
  name: 'weather_forecast_steps_finished_20261029',
  expiredAt: AT - 86_400_000_000,
  runs: [
    {
      validatorId: 1,
      validatorHotkey: '5Validator',
      runId: 41,
      status: 'awaiting_results',
      isOverdue: false,
    },
  ],
} as const;

/** A little of everything, the same at every call. */
function busyExporter(): PrometheusExporter {
  vi.useFakeTimers({ toFake: ['Date'], now: AT / 1000 });
  try {
    const exporter = exporterFor({
      recorderState: () => ({
        queueLength: 12,
        oldestAgeMillis: 250,
        dropped: { queue_full: 0 },
        spoolBytes: 2048,
        spoolLimitBytes: 1_073_741_824,
      }),
    });
    exporter.seed([BUSY_MINER]);
    exporter.recorder.startBatch()('written');
    exporter.observe({
      steps: [
        stepFact(),
        stepFact({
          stepName: 'era5',
          substep: 'score',
          substepGroup: 'score',
          status: 'failed',
          error: errorFact('data_coverage'),
          componentScores: [componentScore('era5')],
          adjustments: { not_finite: 1 },
          latencyNanos: 92e9,
        }),
      ],
      minerStats: [minerStats({ minerUid: null, minerHotkey: '5MinerNew' })],
      rows: { weather_forecast_steps: 2, miner_stats: 1 },
      rejected: { invalid_attribute: 1 },
    });
    exporter.refresh({
      ...wholeTable([BUSY_MINER, minerStats({ minerUid: null, minerHotkey: '5MinerNew' })]),
      databaseId: '0e6d4a52-8a0c-4f0e-9d2b-6c5f3b1a7e90',
    });
    exporter.showState(BUSY_STATE);
    exporter.showHeldPartitions([HELD]);
    return exporter;
  } finally {
    vi.useRealTimers();
  }
}

describe('Prometheus exporter', () => {
  it('the classic text equals the golden file', async () => {
    const { body } = await busyExporter().render(undefined);
    await expect(body).toMatchFileSnapshot('golden/classic.txt');
  });

  it('the OpenMetrics text equals the golden file', async () => {
    const { body } = await busyExporter().render(OPENMETRICS);
    await expect(body).toMatchFileSnapshot('golden/openmetrics.txt');
  });

  it('the exporter exposes every metric of the vocabulary and no other', async () => {
    const { body } = await busyExporter().render(undefined);
    const families = [...body.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`);
    expect(families.sort()).toEqual(
      Object.values(METRICS)
        .map(({ name, type }) => `${name} ${type}`)
        .sort(),
    );
  });

  it('the scraper gets the format that it asks for', async () => {
    const exporter = exporterFor();
    expect((await exporter.render(OPENMETRICS)).contentType).toContain('application/openmetrics-text');
    expect((await exporter.render('text/plain')).contentType).toContain('text/plain');
  });

  it('a restart exposes the same miners as before', async () => {
    const before = await busyExporter().render(undefined);
    const restarted = exporterFor();
    restarted.seed([BUSY_MINER, minerStats({ minerUid: null, minerHotkey: '5MinerNew' })]);
    const after = await restarted.render(undefined);
    for (const { name } of Object.values(METRICS).filter(({ name }) => name.startsWith('barograph_miner_'))) {
      if (name === METRICS.minerStatsDrift.name) continue;
      expect(seriesOf(after.body, name)).toEqual(seriesOf(before.body, name));
    }
  });

  const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
  it.skipIf(!hasPromtool)(
    'promtool check metrics passes (skipped when promtool is not on PATH)',
    async () => {
      const { body } = await busyExporter().render(undefined);
      expect(() =>
        execFileSync('promtool', ['check', 'metrics'], { input: body, stdio: 'pipe' }),
      ).not.toThrow();
    },
  );
});
