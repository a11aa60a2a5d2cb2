import { makeDemonstrationWorld } from '#world';
import { quantile } from '../harness/statistics.ts';
import type { Scale, Suite } from '../harness/suite.ts';
import { measureWholeRun, type WholeRun } from '../whole/whole-run.ts';
import { temporaryDirectory } from '../whole/temporary-directory.ts';

const MINERS = { quick: 8, full: 256 };
const SEED = 1;
const DAY_MILLIS = 86_400_000;
/** A run takes minutes and yields thousands of samples, so few rounds suffice. */
const ROUNDS = 1;
const RECORDER = 'barograph-recorder';
const PIPELINE = 'barograph-pipeline';

/**
 * A whole run with the world, the miners and the settings of `npm start`, all leads, with simulated waits skipped: how
 * long records wait for the recorder, and the share of CPU time that recording takes.
 *
 * The miners run in a separate process and are not counted. The CPU time of the validator's process is attributed by a
 * sampling profile (see `cpu-shares.ts`), that of PostgreSQL by connection: recorder and pipeline have separate ones.
 */
export async function openRun(scale: Scale): Promise<Suite> {
  const directory = await temporaryDirectory();
  const initTime = new Date(Math.floor(Date.now() / DAY_MILLIS) * DAY_MILLIS);
  const world = await makeDemonstrationWorld({ initTime, seed: SEED, directory: directory.path });
  const miners = MINERS[scale];
  let run: Promise<WholeRun> | undefined;
  const options = { miners, seed: SEED, initTime, world, dataDirectory: `${directory.path}/data` };
  const ofTheRun = (report: (run: WholeRun) => number) => async () =>
    report(await (run ??= measureWholeRun(options)));
  return {
    comparisons: [
      {
        name: `a whole run of ${miners} miners: age of the oldest record in the queue`,
        unit: 'ms',
        rounds: ROUNDS,
        sides: {
          '99th percentile': ofTheRun(({ queueAges }) => quantile(queueAges, 0.99)),
          median: ofTheRun(({ queueAges }) => quantile(queueAges, 0.5)),
          longest: ofTheRun(({ queueAges }) => Math.max(...queueAges)),
        },
        targets: [
          { what: '99th percentile', value: (by) => by['99th percentile'] ?? NaN, atMost: 1000, unit: 'ms' },
        ],
      },
      {
        name: `a whole run of ${miners} miners: CPU time`,
        unit: 's',
        rounds: ROUNDS,
        sides: {
          'process: recording': ofTheRun(({ cpu }) => cpu.recording / 1e6),
          'process: pipeline': ofTheRun(({ cpu }) => cpu.pipeline / 1e6),
          'process: of both (garbage, answers of the database)': ofTheRun(({ cpu }) => cpu.shared / 1e6),
          'PostgreSQL: recording': ofTheRun(({ backends }) => (backends[RECORDER] ?? NaN) / 1e3),
          'PostgreSQL: pipeline': ofTheRun(({ backends }) => (backends[PIPELINE] ?? NaN) / 1e3),
          'wall time': ofTheRun(({ seconds }) => seconds),
          'steps recorded a second': ofTheRun(({ steps, seconds }) => steps / seconds),
        },
        targets: [
          {
            what: 'recording, of process and PostgreSQL',
            value: (by) => shareOfRecording(by, ['process', 'PostgreSQL']),
            atMost: 25,
            unit: '%',
          },
          {
            what: 'recording, of the process alone',
            value: (by) => shareOfRecording(by, ['process']),
            atMost: 25,
            unit: '%',
          },
        ],
      },
    ],
    close: directory.remove,
  };
}

type CpuSeconds = Readonly<Record<string, number>>;

/** Recording's share in percent; shared time is divided in proportion to the rest. */
function shareOfRecording(by: CpuSeconds, places: readonly string[]): number {
  const of = (owner: string): number => sum(places.map((place) => by[`${place}: ${owner}`] ?? NaN));
  return (100 * of('recording')) / (of('recording') + of('pipeline'));
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
