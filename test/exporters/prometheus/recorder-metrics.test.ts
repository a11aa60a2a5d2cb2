import { describe, expect, it } from 'vitest';
import type { RecorderState } from '#prometheus/recorder-metrics';
import { OVERFLOW } from '#semconv/metric-labels';
import { METRICS } from '#semconv/metrics';
import { AT, exporterFor, idleRecorder, labelsOf, shown, valueOf } from './fixtures.ts';

const withState = (state: Partial<RecorderState>) =>
  exporterFor({ recorderState: () => ({ ...idleRecorder(), ...state }) });

describe('State of the recorder', () => {
  it('every scrape reads the current state', async () => {
    let queueLength = 3;
    const exporter = exporterFor({ recorderState: () => ({ ...idleRecorder(), queueLength }) });
    const name = METRICS.recorderQueueLength.name;
    expect(await shown(exporter, name)).toEqual([`${name} 3`]);
    queueLength = 0;
    expect(await shown(exporter, name)).toEqual([`${name} 0`]);
  });

  it('the age is in seconds while a span waits, and absent when none does', async () => {
    const name = METRICS.recorderOldestAge.name;
    expect(await shown(withState({ oldestAgeMillis: 1500 }), name)).toEqual([`${name} 1.5`]);
    expect(await shown(withState({ oldestAgeMillis: null }), name)).toEqual([]);
  });

  it('the size of the spool is exposed when there is one', async () => {
    const exporter = withState({ spoolBytes: 4096, spoolLimitBytes: 1e9 });
    expect((await shown(exporter, METRICS.recorderSpoolBytes.name)).map(valueOf)).toEqual([4096]);
    expect((await shown(exporter, METRICS.recorderSpoolLimit.name)).map(valueOf)).toEqual([1e9]);
    expect(await shown(exporterFor(), METRICS.recorderSpoolBytes.name)).toEqual([]);
  });

  it('losses are exposed by reason, a reason without a loss as 0', async () => {
    const name = METRICS.recorderDropped.name;
    expect(await shown(withState({ dropped: { queue_full: 5, shutdown_deadline: 0 } }), name)).toEqual([
      `${name}{reason="queue_full"} 5`,
      `${name}{reason="shutdown_deadline"} 0`,
    ]);
  });

  it('the text of an error is never exposed as a reason', async () => {
    const lines = await shown(
      withState({ dropped: { 'connect ECONNREFUSED 10.0.0.1:5432': 2 } }),
      METRICS.recorderDropped.name,
    );
    expect(lines).toEqual([`${METRICS.recorderDropped.name}{reason="${OVERFLOW}"} 2`]);
  });
});

describe('Rejected spans', () => {
  it('rejected spans are those of the commits and those that never reached one', async () => {
    const exporter = withState({ rejected: { invalid_attribute: 1 } });
    exporter.observe({ steps: [], minerStats: [], rejected: { invalid_attribute: 2, missing_attribute: 1 } });
    const totals = (await shown(exporter, METRICS.recorderRejected.name)).map((line) => [
      labelsOf(line)['reason'],
      valueOf(line),
    ]);
    expect(totals).toEqual([
      ['invalid_attribute', 3],
      ['missing_attribute', 1],
    ]);
  });
});

describe('Rows written', () => {
  it('rows are summed by table over the commits', async () => {
    const exporter = exporterFor();
    for (const rows of [{ miner_stats: 2 }, { miner_stats: 1, weather_forecast_steps: 9 }]) {
      exporter.observe({ steps: [], minerStats: [], rows });
    }
    const name = METRICS.recorderRowsWritten.name;
    expect(await shown(exporter, name)).toEqual([
      `${name}{table="miner_stats"} 3`,
      `${name}{table="weather_forecast_steps"} 9`,
    ]);
  });

  it('tables beyond the budget of names share one series, and the overflow is counted', async () => {
    const exporter = exporterFor({ limits: { maxNames: 1 } });
    exporter.observe({ steps: [], minerStats: [], rows: { a: 1, b: 2, c: 3 } });
    expect((await shown(exporter, METRICS.recorderRowsWritten.name)).map(valueOf)).toEqual([1, 5]);
    expect(await shown(exporter, METRICS.overflow.name)).toContain(
      `${METRICS.overflow.name}{label="table"} 5`,
    );
  });
});

describe('Batches', () => {
  const clocked = () => {
    const clock = { monotonic: 0 };
    return {
      clock,
      exporter: exporterFor({ clocks: { now: () => AT / 1000, monotonic: () => clock.monotonic } }),
    };
  };

  it('a batch is timed from its start to its result, and counted by the result', async () => {
    const { clock, exporter } = clocked();
    const finish = exporter.recorder.startBatch();
    clock.monotonic = 70;
    finish('written');
    const duration = METRICS.recorderBatchDuration.name;
    expect(await shown(exporter, `${duration}_sum`)).toEqual([`${duration}_sum{result="written"} 0.07`]);
    expect(
      (await shown(exporter, METRICS.recorderBatches.name)).map((line) => [
        labelsOf(line)['result'],
        valueOf(line),
      ]),
    ).toEqual([
      ['written', 1],
      ['retryable', 0],
      ['rejected', 0],
    ]);
  });

  it('a batch is counted once, even when its finish is called twice', async () => {
    const { exporter } = clocked();
    const finish = exporter.recorder.startBatch();
    finish('rejected');
    finish('written');
    expect((await shown(exporter, METRICS.recorderBatches.name)).map(valueOf)).toEqual([0, 0, 1]);
  });

  it('only a written batch moves the time of the last commit', async () => {
    const { exporter } = clocked();
    exporter.recorder.startBatch()('retryable');
    expect(await shown(exporter, METRICS.recorderLastCommit.name)).toEqual([]);
    exporter.recorder.startBatch()('written');
    expect((await shown(exporter, METRICS.recorderLastCommit.name)).map(valueOf)).toEqual([AT / 1e6]);
  });
});
