import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { mapCooperatively } from '#lifecycle/cooperative-map';
import { acquireAll } from '#lifecycle/resource-stack';
import { readConfig } from '#src/config';
import { startRecording, type Recording } from '#recorder/recording';
import { quantile } from '../harness/statistics.ts';
import type { Comparison, Scale, Suite } from '../harness/suite.ts';
import { minerRun } from '../miner-run.ts';
import { openBenchServer } from '../support/server.ts';

interface Size {
  readonly miners: number;
  readonly runsBefore: number;
  readonly scrapes: number;
}

const SIZES: Readonly<Record<Scale, Size>> = {
  quick: { miners: 16, runsBefore: 1, scrapes: 5 },
  full: { miners: 256, runsBefore: 3, scrapes: 200 },
};
/** About 2,000 spans: the batch size of the recorder. */
const MINERS_A_BATCH = 50;
const CLIENT = join(import.meta.dirname, '../support/scrape-client.mjs');
const MOST_MILLIS = 50;
const MOST_BYTES = 1_000_000;

const run = promisify(execFile);

interface Scraped {
  readonly millis: readonly number[];
  readonly bytes: number;
}

/**
 * Scrapes of the metrics of 256 miners, by a separate process: while this process is idle, and while it records as fast
 * as it can.
 */
export function openScrape(scale: Scale): Promise<Suite> {
  return acquireAll(async ({ add, close }) => {
    const server = await openBenchServer();
    add(() => server.close());
    const { connectionString } = await server.createDatabase();
    const directory = await mkdtemp(join(tmpdir(), 'barograph-scrape-'));
    add(() => rm(directory, { recursive: true, force: true }));
    const recording = await startRecording({
      metricsServer: true,
      config: readConfig({
        DATABASE_URL: connectionString,
        BAROGRAPH_DATA_DIR: directory,
        BAROGRAPH_METRICS_PORT: '0',
      }),
      validatorHotkey: '5Validator',
      onProblem: (message) => console.error(message),
    });
    add(() => recording.close());
    const scraper = new Scraper(recording, SIZES[scale]);
    await scraper.prepare();
    return { comparisons: [timesOf(scraper), bytesOf(scraper)], close };
  });
}

const timesOf = (scraper: Scraper): Comparison => ({
  name: 'a scrape, p99',
  unit: 'ms',
  sides: {
    'while recording': async () => quantile((await scraper.whileRecording()).millis, 0.99),
    idle: async () => quantile((await scraper.scrape()).millis, 0.99),
  },
  targets: [
    {
      what: 'while recording',
      value: (by) => by['while recording'] ?? NaN,
      atMost: MOST_MILLIS,
      unit: 'ms',
    },
  ],
});

const bytesOf = (scraper: Scraper): Comparison => ({
  name: 'a scrape, size',
  unit: 'bytes',
  sides: { 'while recording': async () => (await scraper.whileRecording()).bytes },
  targets: [{ what: 'size', value: (by) => by['while recording'] ?? NaN, atMost: MOST_BYTES, unit: 'bytes' }],
  rounds: 1,
});

/** Records and scrapes. */
class Scraper {
  readonly #recording: Recording;
  readonly #size: Size;
  #nextRun = 1;

  constructor(recording: Recording, size: Size) {
    this.#recording = recording;
    this.#size = size;
  }

  /** Warm-up: fills the metrics and scrapes them, since the first scrapes are slower. */
  async prepare(): Promise<void> {
    while (this.#nextRun <= this.#size.runsBefore) await this.#recordRun(() => true);
    await this.scrape();
  }

  async scrape(): Promise<Scraped> {
    const url = this.#recording.metricsUrl;
    if (url === null) throw new Error('The metrics are not served.');
    const args = [CLIENT, url, String(this.#size.scrapes)];
    const { stdout } = await run(process.execPath, args, { maxBuffer: 2 ** 24 });
    return JSON.parse(stdout) as Scraped;
  }

  async whileRecording(): Promise<Scraped> {
    const state = { isScraping: true };
    const recorded = (async () => {
      while (state.isScraping) await this.#recordRun(() => state.isScraping);
    })();
    try {
      return await this.scrape();
    } finally {
      state.isScraping = false;
      await recorded;
    }
  }

  async #recordRun(isWanted: () => boolean): Promise<void> {
    const runId = this.#nextRun++;
    const { miners } = this.#size;
    for (let uid = 0; uid < miners && isWanted(); uid += MINERS_A_BATCH) {
      const uids = Array.from({ length: Math.min(MINERS_A_BATCH, miners - uid) }, (_, index) => uid + index);
      // Spans that steps would have made one by one.
      const made = await mapCooperatively(
        uids,
        (miner) => minerRun(runId, miner),
        () => 50,
      );
      const report = await this.#recording.write(made.flat());
      if (report.kind !== 'written') throw new Error(`A batch was ${report.kind}.`);
    }
  }
}
