import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acquireAll } from '#lifecycle/resource-stack';
import { spoolRoot } from '#recorder/process-spool';
import type { Comparison, Scale, Suite } from '../harness/suite.ts';
import { emptyRecordedTables, requireRows } from '../support/recorded-tables.ts';
import { adoptByRecorder, type Adoption } from '../support/recorder-process.ts';
import { openBenchServer, type BenchDatabase } from '../support/server.ts';

const MINERS = 256;
const STEPS = 40;
/** A run of 256 miners has 10,240 spans. */
const RUNS: Readonly<Record<Scale, number>> = { quick: 2, full: 98 };
const MIB = 2 ** 20;
const MOST_MIB = 256;
const FILLER = join(import.meta.dirname, '../support/fill-spool.ts');

/** Start of a recorder that adopts the spool of a process that was killed during a database outage. */
export function openBacklog(scale: Scale): Promise<Suite> {
  const runs = RUNS[scale];
  return acquireAll(async ({ add, close }) => {
    const server = await openBenchServer();
    add(() => server.close());
    const database = await server.createDatabase();
    let last: Adoption | undefined;
    const drain = async (): Promise<number> => {
      last = await drainBacklog(database, runs);
      return last.peakBytes / MIB;
    };
    const rate = (): number => (spansOf(runs) * 1000) / (last?.millis ?? NaN);
    return { comparisons: [memoryOf(drain, runs), rateOf(rate)], close };
  });
}

const spansOf = (runs: number): number => runs * MINERS * STEPS;

const memoryOf = (drain: () => Promise<number>, runs: number): Comparison => ({
  name: `a backlog of ${spansOf(runs).toLocaleString('en')} spans, memory`,
  unit: 'MiB',
  sides: { 'peak of the recorder': drain },
  targets: [
    {
      what: 'peak resident set of the recorder',
      value: (by) => by['peak of the recorder'] ?? NaN,
      atMost: MOST_MIB,
      unit: 'MiB',
    },
  ],
  rounds: 1,
});

/** Of the same process, from its start. */
const rateOf = (rate: () => number): Comparison => ({
  name: 'the same backlog, rate',
  unit: 'spans/s',
  sides: { 'from the start of the recorder to its last commit': rate },
  targets: [],
  rounds: 1,
});

async function drainBacklog({ connectionString, pool }: BenchDatabase, runs: number): Promise<Adoption> {
  const directory = await mkdtemp(join(tmpdir(), 'barograph-backlog-'));
  try {
    await emptyRecordedTables(pool);
    const root = spoolRoot({
      config: { dataDirectory: directory },
      database: { connectionString, kind: 'given' },
    });
    await leaveBacklog(root, runs);
    const adoption = await adoptByRecorder({
      DATABASE_URL: connectionString,
      BAROGRAPH_DATA_DIR: directory,
      BAROGRAPH_SPOOL_LIMIT_MIB: '16384',
    });
    await requireRows(pool, 'weather_forecast_steps_finished', spansOf(runs));
    return adoption;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Ends when the process that fills the spool has killed itself. */
async function leaveBacklog(root: string, runs: number): Promise<void> {
  const args = ['--import', 'tsx', FILLER, root, String(runs), String(MINERS)];
  const filler = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const [, signal] = (await once(filler, 'close')) as [number | null, NodeJS.Signals | null];
  if (signal !== 'SIGKILL') throw new Error('The process that fills the spool ended before it was full.');
}
