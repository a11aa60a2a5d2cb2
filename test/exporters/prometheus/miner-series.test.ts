import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MINER_SERIES, MIRRORED_COLUMNS } from '#prometheus/miner-series';
import { emptyMinerFold, type MinerFold } from '#postgres/projections/miner-fold';
import { toMinerStats } from '#postgres/projections/miner-row';
import type { MinerStats } from '#facts/miner-stats';
import { ERROR_CATEGORIES } from '#semconv';
import { METRICS } from '#semconv/metrics';
import { AT, minerStats } from './fixtures.ts';

describe('Series of a miner', () => {
  it('every miner metric is used once', () => {
    const used = MIRRORED_COLUMNS.map(({ metric }) => metric.name);
    const miner = Object.values(METRICS).filter(({ name }) => name.startsWith('barograph_miner_'));
    const columns = miner.map(({ name }) => name).filter((name) => name !== METRICS.minerStatsDrift.name);
    expect([...used].sort()).toEqual(columns.sort());
  });

  it('a null has no value', () => {
    const row = minerStats();
    const nulls = Object.entries(MINER_SERIES).filter(
      ([column]) => row[column as keyof typeof MINER_SERIES] === null,
    );
    expect(nulls.length).toBeGreaterThan(10);
    for (const [, column] of nulls) if ('read' in column) expect(column.read(row)).toEqual([]);
  });

  it('a 0 has the value 0', () => {
    expect(MINER_SERIES.avgDay1Score.read(minerStats({ avgDay1Score: 0 }))).toEqual([{ value: 0 }]);
  });

  it('durations are in seconds, whatever the unit of the column', () => {
    const row = minerStats({ avgHostingLatencyMs: 850, lastActive: AT });
    expect(MINER_SERIES.avgHostingLatencyMs.read(row)).toEqual([{ value: 0.85 }]);
    expect(MINER_SERIES.lastActive.read(row)).toEqual([{ value: Date.UTC(2026, 10, 23, 18) / 1000 }]);
  });

  it('each error category that the row counts has one value', () => {
    const row = minerStats({ commonErrors: { connection: 1, timeout: 3 } });
    expect(MINER_SERIES.commonErrors.read(row)).toEqual([
      { errorType: 'timeout', value: 3 },
      { errorType: 'connection', value: 1 },
    ]);
  });
});

describe('Columns without a metric', () => {
  const recorded = (fold: Partial<MinerFold>): MinerStats => ({
    ...toMinerStats(
      { ...emptyMinerFold, ...fold },
      { validatorId: 1, validatorHotkey: '5V', minerHotkey: '5M' },
    ),
    minerRank: null,
  });
  const count = fc.nat(1_000_000);

  it('a ratio column follows from two metrics, to the last bit', () => {
    fc.assert(
      fc.property(count, count, (completed, failed) => {
        const row = recorded({ completed, failed, hostingSuccesses: failed, hostingFailures: completed });
        const share = (part: number, rest: number) => (part + rest === 0 ? null : part / (part + rest));
        expect(row.forecastSuccessRatio).toBe(share(row.successfulForecasts, row.failedForecasts));
        expect(row.hostReliabilityRatio).toBe(share(row.hostingSuccesses, row.hostingFailures));
      }),
    );
  });

  it('an error rate is the share of the counted errors, to the last bit', () => {
    const errors = fc.dictionary(fc.constantFrom(...ERROR_CATEGORIES), fc.integer({ min: 1, max: 1e6 }));
    fc.assert(
      fc.property(errors, (counted) => {
        const row = recorded({ errors: counted });
        const total = Object.values(row.commonErrors).reduce((sum, times) => sum + times, 0);
        const shares = Object.entries(row.commonErrors).map(([type, times]) => [type, times / total]);
        expect(row.errorRateByType ?? {}).toEqual(Object.fromEntries(shares));
      }),
    );
  });

  it('a derived column has its PromQL expression', () => {
    expect(MINER_SERIES.hostReliabilityRatio.promql).toBe(
      'barograph_miner_hosting_successes_total / ' +
        '(barograph_miner_hosting_successes_total + barograph_miner_hosting_failures_total > 0)',
    );
    expect(MINER_SERIES.errorRateByType.promql).toBe(
      'barograph_miner_errors_total / ignoring (error_type) group_left ' +
        'sum without (error_type) (barograph_miner_errors_total)',
    );
  });
});
