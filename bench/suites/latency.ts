import { readConfig } from '#src/config';
import { startRecording, type Recording } from '#recorder/recording';
import { quantile } from '../harness/statistics.ts';
import type { Scale, Suite, Target } from '../harness/suite.ts';
import { keepMachineBusy } from '../whole/busy-machine.ts';
import { makePacedSteps } from '../whole/paced-steps.ts';
import { rowLatencies, type Shown } from '../whole/row-latencies.ts';
import { shareMeasurement } from '../whole/shared-measurement.ts';
import { temporaryDirectory } from '../whole/temporary-directory.ts';

const PER_SECOND = 100;
const SECONDS = { quick: 2, full: 20 };
/** How long a step runs whose start is looked for: longer than its row may take. */
const RUNS_MILLIS = 3000;
/** Time-out for the last row after the last step, milliseconds. */
const PATIENCE_MILLIS = 10_000;

/**
 * Span start and span end to committed row, at an even pace of ordinary steps through the whole recording: processor, spool, writer,
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
  const latencies = (round: Omit<Round, 'runId' | 'count'>) => () =>
    take(recording, { ...round, runId: (lastRun += 1), count });
  return {
    comparisons: [
      {
        name: `${PER_SECOND} steps a second, the end of each to its committed row`,
        unit: 'ms',
        sides: shareMeasurement(latencies({ shown: 'end' }), QUANTILES),
        targets: [atMost(300)],
      },
      {
        name: `${PER_SECOND} steps a second, the start of each to its row in_progress`,
        unit: 'ms',
        sides: shareMeasurement(latencies({ shown: 'start', runsMillis: RUNS_MILLIS }), QUANTILES),
        targets: [atMost(300)],
      },
      {
        name: `${PER_SECOND} steps a second, the start of each to its row in_progress, every core and the thread pool busy with something else`,
        unit: 'ms',
        sides: shareMeasurement(
          latencies({ shown: 'start', runsMillis: RUNS_MILLIS, isMachineBusy: true }),
          QUANTILES,
        ),
        targets: [atMost(1000)],
      },
    ],
    close: async () => {
      await recording.close();
      await directory.remove();
    },
  };
}

const QUANTILES = {
  '99th percentile': (latencies: readonly number[]) => quantile(latencies, 0.99),
  median: (latencies: readonly number[]) => quantile(latencies, 0.5),
  longest: (latencies: readonly number[]) => Math.max(...latencies),
};

const atMost = (millis: number): Target => ({
  what: '99th percentile',
  value: (by) => by['99th percentile'] ?? NaN,
  atMost: millis,
  unit: 'ms',
});

interface Round {
  readonly runId: number;
  readonly count: number;
  readonly shown: Shown;
  readonly runsMillis?: number;
  readonly isMachineBusy?: boolean;
}

/** @returns the latencies of all rows of the round @throws Error when a row does not appear in time */
async function take(recording: Recording, round: Round) {
  const endLoad = round.isMachineBusy === true ? keepMachineBusy() : () => Promise.resolve();
  try {
    return await measure(recording, round);
  } finally {
    await endLoad();
  }
}

async function measure(
  recording: Recording,
  { runId, count, shown, runsMillis }: Round,
): Promise<readonly number[]> {
  const stop = new AbortController();
  const seen = rowLatencies(recording.pool, { runId, shown, count, signal: stop.signal });
  seen.catch(() => undefined);
  await makePacedSteps({
    runId,
    count,
    perSecond: PER_SECOND,
    ...(runsMillis !== undefined && { runsMillis }),
  });
  const tooLate = setTimeout(() => stop.abort(new Error('Not every step became a row.')), PATIENCE_MILLIS);
  try {
    return await seen;
  } finally {
    clearTimeout(tooLate);
  }
}
