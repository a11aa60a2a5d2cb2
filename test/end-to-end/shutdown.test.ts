import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DAY1_LEAD_HOURS, ERA5_LEAD_HOURS } from '#semconv';
import { startProgram, type RunningProgram } from '../commands/support/program.ts';
import { writeTinyStore } from '../commands/support/tiny-stores.ts';
import { minerOf } from '../pipeline/support/stub-miners.ts';
import { VALIDATOR } from '../pipeline/support/tiny-world.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const DAY_MILLIS = 86_400_000;

/** A miner that holds every request until the test releases it, and then rejects it, which ends its forecast. */
interface HeldMiner {
  readonly port: number;
  /** Resolves when it is asked for the n-th time. */
  readonly asked: (times: number) => Promise<void>;
  /** Answers what was asked and all that is asked from now on. */
  readonly answer: () => void;
  readonly close: () => Promise<void>;
}

const REFUSAL = JSON.stringify({ status: 'fetch_rejected', message: 'not today' });

async function openHeldMiner(): Promise<HeldMiner> {
  const held: ServerResponse[] = [];
  const watchers = new Set<() => void>();
  let [times, isHolding] = [0, true];
  const reply = (response: ServerResponse): void =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(REFUSAL);
  const server = createServer((_request, response) => {
    times += 1;
    if (isHolding) held.push(response);
    else reply(response);
    for (const look of watchers) look();
  });
  return {
    port: await listen(server),
    asked: (wanted) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (times < wanted) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      }),
    answer: () => {
      isHolding = false;
      for (const response of held) if (!response.destroyed) reply(response);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const listen = (server: Server): Promise<number> =>
  new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });

let folder: string;
let stores: readonly string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'barograph-shutdown-'));
  const initTime = new Date(Math.floor(Date.now() / DAY_MILLIS) * DAY_MILLIS);
  const world = { initTime, leads: [DAY1_LEAD_HOURS, ...ERA5_LEAD_HOURS] };
  stores = [
    ...['--truth', await writeTinyStore(join(folder, 'truth.zarr'), world)],
    ...['--climatology', await writeTinyStore(join(folder, 'climatology.zarr'), { ...world, phase: 2 })],
    ...['--reference', await writeTinyStore(join(folder, 'reference.zarr'), { ...world, phase: 5 })],
  ];
});
afterAll(() => rm(folder, { recursive: true }));

let database: TestDatabase;
let miner: HeldMiner;
let started: RunningProgram[];
beforeEach(async () => {
  [database, miner, started] = [await createTestDatabase(), await openHeldMiner(), []];
  const { uid, hotkey } = minerOf(3);
  const url = `http://127.0.0.1:${miner.port}`;
  await writeFile(join(folder, 'miners.json'), JSON.stringify([{ uid, hotkey, url }]));
});
afterEach(async () => {
  for (const program of started) program.kill('SIGKILL');
  await miner.close();
  await database.drop();
});

/** `barograph work` with one miner. */
function startWork(
  environment: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): RunningProgram {
  const program = startProgram(
    'cli',
    ['work', ...stores, '--miners-file', join(folder, 'miners.json'), '--at', '00:00', ...args],
    {
      DATABASE_URL: database.connectionString,
      BAROGRAPH_VALIDATOR_HOTKEY: VALIDATOR,
      BAROGRAPH_DELAY_FACTOR: '0.00001',
      ...environment,
    },
  );
  started.push(program);
  return program;
}

const rowsOf = async (sql: string) => (await database.pool.query<Record<string, unknown>>(sql)).rows;
const JOBS = `select task_identifier as task, locked_at is not null as locked, attempts from pipeline.jobs`;
const QUERIES = `select status, error_type from weather_forecast_steps
  where step_name = 'query' and status <> 'in_progress' order by started_at`;

describe('a worker that gets SIGTERM during a step', () => {
  it('a step is abandoned at the deadline with exit code 0, and another worker repeats it at once', async () => {
    const first = startWork({ BAROGRAPH_SHUTDOWN_SECONDS: '1' });
    await miner.asked(1);
    const askedAt = performance.now();
    first.kill('SIGTERM');
    const { exitCode, stderr } = await first.ended;
    expect(exitCode).toBe(0);
    // The deadline, a second for the process to end by itself, and some for a busy machine; the call takes 60 s.
    expect(performance.now() - askedAt).toBeLessThan(15_000);
    expect(stderr).toContain('running steps have 1 s to finish');
    expect(stderr).toContain(
      'Running steps that did not: 1.\nThey are recorded as abandoned, and the next worker repeats them.',
    );
    expect(await rowsOf(JOBS)).toEqual([{ task: 'query', locked: false, attempts: 0 }]);

    miner.answer();
    const second = startWork({}, ['--once']);
    expect((await second.ended).exitCode).toBe(0);
    expect(await rowsOf('select state, failure_category from pipeline.run_miners')).toEqual([
      { state: 'failed', failure_category: 'miner_inference' },
    ]);
    expect(await rowsOf(JOBS)).toEqual([]);
    expect(await rowsOf(QUERIES), 'the abandoned step is closed from the spool of its process').toEqual([
      { status: 'abandoned', error_type: 'process_crash' },
      { status: 'failed', error_type: 'miner_inference' },
    ]);
  });

  it('a step that ends in time is recorded and reported, with exit code 0', async () => {
    const program = startWork({});
    await miner.asked(1);
    program.kill('SIGTERM');
    await program.untilStderrMatches(/running steps have 30 s to finish/);
    miner.answer();
    const { exitCode, stderr } = await program.ended;
    expect(exitCode).toBe(0);
    // The orchestrator's step may still have been under way too.
    expect(stderr).toMatch(
      /steps that finished: [12]\.\nEnded; everything that was recorded is in the database\.$/m,
    );
    expect(await rowsOf(QUERIES)).toEqual([{ status: 'failed', error_type: 'miner_inference' }]);
    expect((await rowsOf(JOBS)).filter(({ locked }) => locked)).toEqual([]);
  });

  it('a second signal ends the worker at once', async () => {
    const program = startWork({});
    await miner.asked(1);
    program.kill('SIGTERM');
    await program.untilStderrMatches(/Ctrl-C again ends at once/);
    const toldAt = performance.now();
    program.kill('SIGINT');
    // No exit code: the signal ended it.
    expect((await program.ended).exitCode).toBeNull();
    expect(performance.now() - toldAt).toBeLessThan(5000);
  });
});
