import { describe, expect, it } from 'vitest';
import { MINER_SERIES } from '../../../exporters/prometheus/miner-series.ts';
import { METRICS } from '../../../src/semconv/metrics.ts';
import { AT, minerStats } from './fixtures.ts';

describe('the series of a miner', () => {
  it('use every miner metric once', () => {
    const used = Object.values(MINER_SERIES).map(({ metric }) => metric.name);
    const miner = Object.values(METRICS).filter(({ name }) => name.startsWith('barograph_miner_'));
    const columns = miner.map(({ name }) => name).filter((name) => name !== METRICS.minerStatsDrift.name);
    expect([...used].sort()).toEqual(columns.sort());
  });

  it('have no value for a null', () => {
    const row = minerStats();
    const columns = Object.keys(MINER_SERIES) as (keyof typeof MINER_SERIES)[];
    const nulls = columns.filter((column) => row[column] === null);
    expect(nulls.length).toBeGreaterThan(10);
    for (const column of nulls) expect(MINER_SERIES[column].read(row)).toEqual([]);
  });

  it('have the value 0 for a 0', () => {
    expect(MINER_SERIES.avgDay1Score.read(minerStats({ avgDay1Score: 0 }))).toEqual([{ value: 0 }]);
  });

  it('are in seconds, whatever the column is in', () => {
    const row = minerStats({ avgHostingLatencyMs: 850, lastActive: AT });
    expect(MINER_SERIES.avgHostingLatencyMs.read(row)).toEqual([{ value: 0.85 }]);
    expect(MINER_SERIES.lastActive.read(row)).toEqual([{ value: Date.UTC(2026, 10, 23, 18) / 1000 }]);
  });

  it('have one value for each category that the row counts', () => {
    const row = minerStats({ commonErrors: { connection: 1, timeout: 3 } });
    expect(MINER_SERIES.commonErrors.read(row)).toEqual([
      { errorType: 'timeout', value: 3 },
      { errorType: 'connection', value: 1 },
    ]);
  });
});
