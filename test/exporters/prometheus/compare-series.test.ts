import { describe, expect, it } from 'vitest';
import { differingSeries, mirrorsMiners, servedDatabases } from '#prometheus/compare-series';
import { createPrometheusExporter } from '#prometheus/exporter';
import type { CommittedMinerStats } from '#facts/miner-stats';
import { minerStats, wholeTable } from './fixtures.ts';

async function textOf(...rows: readonly CommittedMinerStats[]): Promise<string> {
  const recorderState = () => ({ queueLength: 0, oldestAgeMillis: null, dropped: {} });
  const exporter = createPrometheusExporter({ recorderState });
  exporter.seed(rows);
  exporter.refresh(wholeTable(rows));
  return (await exporter.render(undefined)).body;
}

const labels = 'validator_id="1",miner_hotkey="5Miner7",miner_uid="7"';

describe('Comparison of the miner series in two texts', () => {
  it('the same rows give no difference, in any order and with other metrics beside them', async () => {
    const [one, two] = [
      minerStats(),
      minerStats({ minerHotkey: '5Miner8', minerUid: 8, bestForecastScore: 0 }),
    ];
    const busy = `${await textOf(one, two)}barograph_step_duration_seconds_count{step="poll"} 9\n`;
    expect(differingSeries(busy, await textOf(two, one))).toEqual([]);
  });

  it('a difference has name and labels and both values, null for a missing series', async () => {
    const served = await textOf(minerStats({ failedForecasts: 2, commonErrors: { timeout: 1 } }));
    const wanted = await textOf(minerStats({ failedForecasts: 3, minerRank: 1 }));
    expect(differingSeries(served, wanted)).toEqual([
      { series: `barograph_miner_errors_total{${labels},error_type="timeout"}`, served: '1', wanted: null },
      { series: `barograph_miner_failed_forecasts_total{${labels}}`, served: '2', wanted: '3' },
      { series: `barograph_miner_rank{${labels}}`, served: null, wanted: '1' },
    ]);
  });

  it('a mirror of no miner yet is distinguished from the metrics of another program', async () => {
    expect(mirrorsMiners(await textOf())).toBe(true);
    expect(mirrorsMiners('# TYPE go_goroutines gauge\ngo_goroutines 7\n')).toBe(false);
  });

  it('the databases that a text names are found in both formats and among other labels, each once', async () => {
    const exporter = createPrometheusExporter({
      recorderState: () => ({ queueLength: 0, oldestAgeMillis: null, dropped: {} }),
    });
    expect(servedDatabases((await exporter.render(undefined)).body)).toEqual([]);
    exporter.refresh({ ...wholeTable([]), databaseId: 'one' });
    for (const accept of ['text/plain', 'application/openmetrics-text; version=1.0.0'])
      expect(servedDatabases((await exporter.render(accept)).body)).toEqual(['one']);
    const line = (id: string): string => `barograph_database_info{database_id="${id}",instance="a"} 1`;
    const merged = `${line('one')}\nbarograph_database_info{job="b",database_id="two"} 1\n${line('one')}\n`;
    expect(servedDatabases(merged)).toEqual(['one', 'two']);
  });
});
