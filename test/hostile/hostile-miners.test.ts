import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import Lz4 from 'numcodecs/lz4';
import Zstd from 'numcodecs/zstd';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFleet, type Fleet } from '#fleet';
import { findClosedPort } from '#fleet/fleet-server';
import { openGridStore } from '#grids';
import { makeDemonstrationWorld, makeSimulatedForecast, type DemonstrationWorld } from '#world';
import { testDataDirectory } from '#test/support/data-directory';
import { createTestDatabase } from '#test/support/postgres';

/** The full form has 24 honest miners and the sizes that once ended a validator (BAROGRAPH_HOSTILE_FULL=1). */
const IS_FULL = process.env['BAROGRAPH_HOSTILE_FULL'] === '1';
const HONEST = IS_FULL ? 24 : 6;
/** Runs with and without hostile miners, in turn. */
const ROUNDS = IS_FULL ? 5 : 1;
/** A member of gzip is 64 MiB of zeros in 64 KiB; a hundred of them are 6 GB. */
const MEMBERS = IS_FULL ? 100 : 8;
const METADATA_BYTES = IS_FULL ? 250_000_000 : 8_000_000;
const MAX_RSS_MIB = 1024;
const MOST_TIMES = 1.2;
const MOST_SILENT_MILLIS = 2000;

const initTime = new Date('2026-11-01T00:00:00Z');
const leads = [24, 48];
const SEED = 5;

type Files = Map<string, Uint8Array>;
const json = (document: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(document));

/** Changes the metadata of 2 m temperature, in its file and where it is consolidated. */
function withArray(files: Files, changes: object): void {
  const array = JSON.parse(new TextDecoder().decode(files.get('2t/.zarray'))) as object;
  files.set('2t/.zarray', json({ ...array, ...changes }));
  files.delete('.zmetadata');
}

function withChunks(files: Files, compressor: object, chunk: Uint8Array): void {
  withArray(files, { compressor });
  for (const path of files.keys()) if (/^2t\/\d/.test(path)) files.set(path, chunk);
}

const encode = (library: unknown, bytes: Uint8Array): Promise<Uint8Array> =>
  (library as { fromConfig(settings: object): { encode(bytes: Uint8Array): Promise<Uint8Array> } })
    .fromConfig({})
    .encode(bytes);

/** What each hostile miner makes of an honest forecast. */
const HOSTILE: Readonly<Record<string, (files: Files) => void | Promise<void>>> = {
  'a bomb of gzip': (files) => {
    const member = gzipSync(Buffer.alloc(2 ** 26));
    withChunks(files, { id: 'gzip' }, Buffer.concat(Array.from({ length: MEMBERS }, () => member)));
  },
  'a bomb of lz4': async (files) => {
    withChunks(files, { id: 'lz4' }, await encode(Lz4, new Uint8Array(2 ** 26)));
  },
  'a bomb of zstd': async (files) => {
    withChunks(files, { id: 'zstd' }, await encode(Zstd, new Uint8Array(2 ** 26)));
  },
  'long metadata': (files) => void files.set('.zmetadata', Buffer.alloc(METADATA_BYTES, '{},')),
  'metadata of empty objects': (files) =>
    void files.set('.zmetadata', Buffer.from(`[${'{},'.repeat(340_000)}{}]`)),
  'a field without end': (files) => withArray(files, { shape: [3, 1e6, 1e6], chunks: [1, 1, 1] }),
  'a chunk without end': (files) => withArray(files, { chunks: [1, 2 ** 14, 2 ** 14] }),
  'a million chunks': (files) => withArray(files, { shape: [3, 1000, 1000], chunks: [1, 1, 1] }),
  'a chunk file without end': (files) => withChunks(files, { id: 'zlib' }, new Uint8Array(2 ** 26)),
  'an unknown codec': (files) => withArray(files, { compressor: { id: 'json2' } }),
};
const KINDS = Object.keys(HOSTILE);

let directory: string;
let world: DemonstrationWorld;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'barograph-hostile-'));
  world = await makeDemonstrationWorld({ initTime, seed: SEED, directory });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function openFleet(kinds: readonly string[]): Promise<Fleet> {
  const [truth, climatology] = [await openGridStore(world.truth), await openGridStore(world.climatology)];
  const count = HONEST + kinds.length;
  const makeFiles = async ({ uid, quality, seed }: { uid: number; quality: number; seed: number }) => {
    const common = { truth, climatology, initTime, leads: [12, ...leads], quality, seed };
    const files: Files = new Map(
      await makeSimulatedForecast({ ...common, zarrFormat: 2, corruption: 'none' }),
    );
    await HOSTILE[kinds[uid - HONEST] ?? '']?.(files);
    return files;
  };
  // Made before the run: what is measured is the validator.
  const made = new Map<number, Promise<Files>>();
  const profiles = Array.from({ length: count }, () => 'good' as const);
  const fleet = await startFleet({
    ...{ count, seed: SEED, initTime, profiles, delayFactor: 1e-3 },
    forecastFor: (miner) => made.get(miner.uid) ?? makeFiles(miner),
  });
  for (const miner of fleet.miners) {
    made.set(miner.uid, makeFiles(miner));
    await made.get(miner.uid);
    await askFirst(miner);
  }
  return fleet;
}

/** A miner has one job, which it makes and signs when it is asked first: a quarter of a gigabyte takes it a second. */
async function askFirst(miner: Fleet['miners'][number]): Promise<void> {
  const reply = await fetch(`${miner.baseUrl}/weather-initiate-fetch`, {
    method: 'POST',
    body: JSON.stringify({
      data: {
        forecast_start_time: initTime.toISOString(),
        previous_step_time: initTime.toISOString(),
      },
    }),
  });
  expect(reply.ok).toBe(true);
}

interface Measured {
  readonly millis: number;
  readonly peakMib: number;
  /** The longest that the health check took. */
  readonly silentMillis: number;
  readonly ends: Readonly<Record<string, string>>;
}

/** One run of a validator in a process of its own. */
async function runWith(kinds: readonly string[]): Promise<Measured> {
  const database = await createTestDatabase();
  const fleet = await openFleet(kinds);
  const minersFile = join(directory, 'miners.json');
  const miners = fleet.miners.map(({ uid, hotkey, baseUrl }) => ({ uid, hotkey, url: baseUrl }));
  writeFileSync(minersFile, JSON.stringify(miners));
  const port = await findClosedPort();
  const startedAt = performance.now();
  const child = spawn(
    process.execPath,
    [
      ...['--import', 'tsx', 'src/cli.ts', 'run', '--json', '--miners-file', minersFile],
      ...['--truth', world.truth, '--climatology', world.climatology, '--reference', world.reference],
      ...['--init-time', initTime.toISOString(), '--leads', leads.join(',')],
    ],
    {
      env: {
        PATH: process.env['PATH'] ?? '',
        DATABASE_URL: database.connectionString,
        BAROGRAPH_METRICS_PORT: String(port),
        BAROGRAPH_DATA_DIR: testDataDirectory(),
        BAROGRAPH_DELAY_FACTOR: '0.00001',
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const watched = watch(child.pid ?? 0, port, () => child.exitCode !== null || child.signalCode !== null);
  const [code] = (await once(child, 'exit')) as [number | null];
  const millis = performance.now() - startedAt;
  const { peakMib, silentMillis } = await watched;
  const { rows } = await database.pool.query<{ uid: number; end: string }>(
    `select miner_uid as uid, concat_ws(' ', state, failure_category) as end from pipeline.run_miners order by miner_uid`,
  );
  await fleet.close();
  await database.drop();
  expect(code, 'the run ended').toBe(0);
  const nameOf = (uid: number): string => kinds[uid - HONEST] ?? `honest ${String(uid)}`;
  return {
    millis,
    peakMib,
    silentMillis,
    ends: Object.fromEntries(rows.map(({ uid, end }) => [nameOf(uid), end])),
  };
}

/** The peak of memory as the kernel counts it, and how long the health check was silent once it had answered. */
async function watch(pid: number, port: number, isOver: () => boolean) {
  let peakMib = 0;
  let silentMillis = 0;
  let hasAnswered = false;
  while (!isOver()) {
    const from = performance.now();
    const isHealthy = await fetch(`http://127.0.0.1:${String(port)}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (hasAnswered && !isOver()) silentMillis = Math.max(silentMillis, performance.now() - from);
    hasAnswered ||= isHealthy;
    try {
      const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
      peakMib = Math.max(peakMib, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
    } catch {
      break;
    }
    await pause(50);
  }
  return { peakMib, silentMillis };
}

describe('a validator with hostile miners', () => {
  it('hostile miners fail by their own fault, and neither honest ones nor health checks wait for them', async () => {
    const honest: Measured[] = [];
    const mixed: Measured[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      honest.push(await runWith([]));
      mixed.push(await runWith(KINDS));
    }
    const text = ({ millis, peakMib, silentMillis }: Measured): string =>
      `${String(Math.round(millis))} ms, peak ${String(Math.round(peakMib))} MiB, silent ${String(Math.round(silentMillis))} ms`;
    const texts = (runs: readonly Measured[]): string => runs.map(text).join('; ');
    console.log(`honest alone: ${texts(honest)}. With ${String(KINDS.length)} hostile: ${texts(mixed)}`);
    for (const { ends, peakMib, silentMillis } of mixed) {
      for (const [miner, end] of Object.entries(ends))
        expect(`${miner}: ${end}`).toBe(
          miner.startsWith('honest') ? `${miner}: completed` : `${miner}: failed invalid_response`,
        );
      expect(peakMib).toBeLessThan(MAX_RSS_MIB);
      expect(silentMillis).toBeLessThan(MOST_SILENT_MILLIS);
    }
    // Short runs are mostly their own start. A job that comes between two looks of the worker waits for the next one.
    const fastest = (runs: readonly Measured[]): number => Math.min(...runs.map(({ millis }) => millis));
    if (IS_FULL) expect(fastest(mixed) / fastest(honest)).toBeLessThan(MOST_TIMES);
  });
});
