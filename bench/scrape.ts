import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inTurns } from '../exporters/turns.ts';
import { readConfig } from '../src/config.ts';
import { startRecording, type Recording } from '../src/recording.ts';
import { minerRun } from './miner-run.ts';

/**
 * Measures the scrape: 256 miners with 40 steps in each of three runs, recorded in a real database; then scraped by a
 * process of its own, while nothing else happens and while this one records more as fast as it can.
 *
 * DATABASE_URL names an empty database to use; without it an embedded PostgreSQL is started and thrown away.
 */
const MINERS = 256;
const RUNS = 3;
/** Some 2,000 spans: as much as the recorder hands over at once. */
const MINERS_A_BATCH = 50;
const SCRAPES = 300;
const CLIENT = join(import.meta.dirname, 'scrape-client.mjs');

const run = promisify(execFile);

interface Measured {
  readonly millis: readonly number[];
  readonly bytes: number;
}

async function recordRun(recording: Recording, runId: number, isWanted: () => boolean): Promise<number> {
  let spans = 0;
  for (let uid = 0; uid < MINERS && isWanted(); uid += MINERS_A_BATCH) {
    const miners = Array.from({ length: Math.min(MINERS_A_BATCH, MINERS - uid) }, (_, index) => uid + index);
    // What steps would have made one by one.
    const batch = (
      await inTurns(
        miners,
        (miner) => minerRun(runId, miner),
        () => 50,
      )
    ).flat();
    const report = await recording.write(batch);
    if (report.kind !== 'written') throw new Error(`A batch was ${report.kind}.`);
    spans += batch.length;
  }
  return spans;
}

async function scrape(url: string): Promise<Measured> {
  const { stdout } = await run(process.execPath, [CLIENT, url, String(SCRAPES)], {
    maxBuffer: 2 ** 24,
  });
  return JSON.parse(stdout) as Measured;
}

function line(name: string, { millis, bytes }: Measured, more = ''): string {
  const sorted = millis.toSorted((a, b) => a - b);
  const at = (share: number): string =>
    (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN).toFixed(1).padStart(6);
  const times = `p50 ${at(0.5)} ms  p99 ${at(0.99)} ms  max ${at(1)} ms`;
  return `${name.padEnd(34)} ${times}  ${bytes.toLocaleString('en').padStart(9)} bytes${more}`;
}

async function measure(recording: Recording, url: string): Promise<void> {
  let nextRun = 1;
  while (nextRun <= RUNS) await recordRun(recording, nextRun++, () => true);
  const text = await (await fetch(url)).text();
  const series = text.split('\n').filter((sample) => sample !== '' && !sample.startsWith('#'));
  console.log(`${MINERS} miners, ${series.length} series, ${SCRAPES} scrapes each, Node ${process.version}`);
  await scrape(url);
  console.log(line('idle', await scrape(url)));
  const state = { isScraping: true };
  const startedAt = performance.now();
  const recorded = (async () => {
    let spans = 0;
    while (state.isScraping) spans += await recordRun(recording, nextRun++, () => state.isScraping);
    return spans;
  })();
  const measured = await scrape(url);
  state.isScraping = false;
  const perSecond = ((await recorded) / (performance.now() - startedAt)) * 1000;
  console.log(line('recording', measured, `  ${perSecond.toFixed(0)} spans/s recorded`));
}

const directory = await mkdtemp(join(tmpdir(), 'barograph-scrape-'));
try {
  const recording = await startRecording({
    config: readConfig({
      ...(process.env['DATABASE_URL'] === undefined ? {} : { DATABASE_URL: process.env['DATABASE_URL'] }),
      BAROGRAPH_DATA_DIR: directory,
      BAROGRAPH_METRICS_PORT: '0',
    }),
    validatorHotkey: '5Validator',
    onProblem: (message) => console.error(message),
  });
  try {
    await measure(recording, recording.metricsUrl ?? '');
  } finally {
    await recording.close();
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}
