import { readConfig } from '#src/config';
import { startRecording, type Recording } from '#recorder/recording';
import { quantile } from '../harness/statistics.ts';
import type { Scale, Suite } from '../harness/suite.ts';
import { makePacedSteps } from '../whole/paced-steps.ts';
import { rowLatencies } from '../whole/row-latencies.ts';
import { shareMeasurement } from '../whole/shared-measurement.ts';
import { temporaryDirectory } from '../whole/temporary-directory.ts';

const PER_SECOND = 100;
const SECONDS = { quick: 2, full: 20 };
/** Time-out for the last row after the last step, milliseconds. */
const PATIENCE_MILLIS = 10_000;

/**
 * Span end to committed row, at an even pace of ordinary steps through the whole recording: processor, spool, writer,
 * an embedded PostgreSQL with its usual durability. Each round records a run of its own into the same database.
 */
export async function openLatency(scale: Scale): Promise<Suite> {
  const directory = await temporaryDirectory();
  const recording = await startRecording({
    config: readConfig({ BAROGRAPH_DATA_DIR: directory.path, BAROGRAPH_METRICS_PORT: '0' }),
    validatorHotkey: '5Validator',
    onProblem: (message) => console.error(message),
  }).catch(async (error: unknown) => {
    await directory.remove();
    throw error;
  });
  const count = PER_SECOND * SECONDS[scale];
  let lastRun = 0;
  return {
    comparisons: [
      {
        name: `${PER_SECOND} steps a second, the end of each to its committed row`,
        unit: 'ms',
        sides: shareMeasurement(() => round(recording, (lastRun += 1), count), {
          '99th percentile': (latencies) => quantile(latencies, 0.99),
          median: (latencies) => quantile(latencies, 0.5),
          longest: (latencies) => Math.max(...latencies),
        }),
        targets: [
          { what: '99th percentile', value: (by) => by['99th percentile'] ?? NaN, atMost: 300, unit: 'ms' },
        ],
      },
    ],
    close: async () => {
      await recording.close();
      await directory.remove();
    },
  };
}

/** @returns the latencies of all rows of the round @throws Error when a row does not appear in time */
async function round(recording: Recording, runId: number, count: number): Promise<readonly number[]> {
  const stop = new AbortController();
  const seen = rowLatencies(recording.pool, { runId, count, signal: stop.signal });
  seen.catch(() => undefined);
  await makePacedSteps({ runId, count, perSecond: PER_SECOND });
  const tooLate = setTimeout(() => stop.abort(new Error('Not every step became a row.')), PATIENCE_MILLIS);
  try {
    return await seen;
  } finally {
    clearTimeout(tooLate);
  }
}
