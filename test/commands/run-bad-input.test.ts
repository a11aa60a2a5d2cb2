import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '#commands/run/run';
import type { ValidationReport } from '#commands/run/validation-report';
import { findFreePort } from '#database/embedded/free-port';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { invoke, type Invocation } from './support/invoke.ts';
import {
  editJson,
  toArguments,
  writeTinyStore,
  writeTinyWorld,
  type RunArguments,
} from './support/tiny-stores.ts';

/** The freeze window is real time and long; everything else is hurried. */
const HURRY = { BAROGRAPH_DELAY_FACTOR: '0.000001' };

let folder: string;
let world: RunArguments;
let database: TestDatabase;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'barograph-test-'));
  [world, database] = await Promise.all([writeTinyWorld(folder), createTestDatabase()]);
});
afterAll(async () => {
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

const run = (
  changes: RunArguments,
  environment: Readonly<Record<string, string>> = {},
): Promise<Invocation> =>
  invoke(runCommand(), toArguments(world, changes), {
    DATABASE_URL: database.connectionString,
    ...HURRY,
    ...environment,
  });

/** Ended with words on standard error, and nothing where a document is expected. */
function expectRefusal(
  { exitCode, stdout, stderr }: Invocation,
  ...messages: readonly (string | RegExp)[]
): void {
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  for (const words of messages) expect(stderr).toMatch(words);
  expect(stderr).not.toContain('    at ');
}

describe('a run that is asked for in the wrong words', () => {
  it.each([
    [
      'no cycle',
      { 'init-time': '2026-11-01T03:00:00Z' },
      [/T0 is 2026-11-01T03:00/, /00:00, 06:00, 12:00 or 18:00 UTC/],
    ],
    ['no offset', { 'init-time': '2026-11-01' }, [/2026-11-01/, /Allowed: ISO 8601 with an offset/]],
    ['a day that is none', { 'init-time': '2026-02-30T00:00:00Z' }, [/2026-02-30/, /Allowed: ISO 8601/]],
    ['a lead in words', { leads: '24,soon' }, [/24,soon/, /Allowed: a whole number from 1 to 1000/]],
    ['a lead twice', { leads: '24,24' }, [/\[24, 24\]/, /different whole hours from 1 to 1000/]],
    ['no miner', { miners: '0' }, [/'0'/, /Allowed: a whole number from 1 to 256/]],
    ['too many miners', { miners: '257' }, [/'257'/, /Allowed: a whole number from 1 to 256/]],
    ['a negative seed', { seed: '-1' }, [/'-1'/, /Allowed: a whole number from 0/]],
  ])(
    'a run that is asked for in the wrong words: (%s) is refused with what was got and what is allowed',
    async (_name, changes, messages) => {
      expectRefusal(await run(changes), ...messages);
    },
  );
});

describe('a run on a store that cannot be scored with', () => {
  it('a run on a store that cannot be scored with names the option whose store is not there', async () => {
    expectRefusal(
      await run({ truth: join(folder, 'nothing.zarr') }),
      /^--truth cannot be read as a Zarr store: /,
      /not/,
    );
  });

  it('a run on a store that cannot be scored with names the option whose store has none of the variables, and lists them', async () => {
    const without = ['2t', 'msl', '10u', 'z'] as const;
    const store = await writeTinyStore(join(folder, 'empty.zarr'), { without });
    expectRefusal(
      await run({ climatology: store }),
      /^--climatology/,
      /none of the forecast variables 2t, msl, 10u/,
    );
  });

  it('a run on a store that cannot be scored with names the option whose store has other dimensions, what they are and what they must be', async () => {
    const store = await writeTinyStore(join(folder, 'turned.zarr'), {}, (files) =>
      editJson(files, '2t/.zattrs', (attributes) => (attributes['_ARRAY_DIMENSIONS'] = ['time', 'x', 'y'])),
    );
    expectRefusal(await run({ reference: store }), /^--reference/, /2t/, /time, x, y/, /lat/, /lon/);
  });

  it('a run on a store that cannot be scored with says that a directory of forecasts holds no store', async () => {
    expectRefusal(
      await run({ forecasts: join(folder, 'nothing') }),
      /--forecasts nothing holds no store/,
      /NAME\.zarr/,
    );
  });
});

describe('a run for miners of a file', () => {
  const listed = async (content: string): Promise<Invocation> => {
    const file = join(folder, 'miners.json');
    await writeFile(file, content);
    return run({ 'miners-file': file });
  };

  it('is refused when the file is no JSON, is no list, or names nobody', async () => {
    expectRefusal(await listed('miners:'), /is not JSON/, /Write a JSON list like \[\{"uid": 17/);
    expectRefusal(await listed('{}'), /Write a JSON list/);
    expectRefusal(await listed('[]'), /holds no miner/);
  });

  it('a run for miners of a file is refused when an entry is wrong, naming the entry and never its URL', async () => {
    const entry = { uid: 300, hotkey: 'nobody', url: 'http://user:secret@203.0.113.9' };
    const ended = await listed(JSON.stringify([entry]));
    expectRefusal(ended, /uid/, /above 255/, /hotkey/, /url/);
    expect(ended.stderr).not.toMatch(/secret|203\.0/);
  });

  it('a run for miners of a file is refused when there is no such file', async () => {
    expectRefusal(await run({ 'miners-file': join(folder, 'nobody.json') }), /nobody\.json/);
  });
});

describe('a run in a wrong environment', () => {
  it('a run in a wrong environment says where nothing listens when the database refuses the connection', async () => {
    const port = await findFreePort();
    const url = `postgres://user:secret@127.0.0.1:${port}/weather`;
    const ended = await run({}, { DATABASE_URL: url });
    expectRefusal(
      ended,
      `127.0.0.1:${port}/weather refused the connection`,
      /Start the server, or correct host and port/,
    );
    expect(ended.stderr).not.toContain('secret');
  });

  it('a run in a wrong environment says what a database URL looks like, without repeating the one it got', async () => {
    const ended = await run({}, { DATABASE_URL: 'mysql://user:secret@host/db' });
    expectRefusal(ended, /not a PostgreSQL URL/, /postgres:\/\/user:password@host:port\/database/);
    expect(ended.stderr).not.toContain('secret');
  });

  it('a run in a wrong environment refuses a database that a newer program has migrated, and leaves it as it is', async () => {
    const newer = await createTestDatabase();
    await newer.pool.query(`insert into barograph_migrations (version, name) values (99, 'from_the_future')`);
    const ended = await run({}, { DATABASE_URL: newer.connectionString });
    expectRefusal(ended, /schema version 99/, /Allowed: up to \d+/, /Start the newer program/);
    expect((await newer.pool.query('select from pipeline.runs')).rows).toEqual([]);
    await newer.drop();
  });

  it.each([
    [
      { BAROGRAPH_METRICS_PORT: '70000' },
      /BAROGRAPH_METRICS_PORT is "70000"; allowed: a whole number from 0 to 65535/,
    ],
    [
      { BAROGRAPH_DELAY_FACTOR: 'slow' },
      /BAROGRAPH_DELAY_FACTOR is "slow"; allowed: a number above 0, at most 1/,
    ],
    [{ OTEL_TRACES_SAMPLER: 'sometimes' }, /OTEL_TRACES_SAMPLER is "sometimes"; allowed: always_on, /],
    [
      { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '2' },
      /OTEL_TRACES_SAMPLER_ARG is "2"; allowed: a number from 0 to 1/,
    ],
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector' },
      /OTEL_EXPORTER_OTLP_ENDPOINT is "collector"; allowed: an http or https URL/,
    ],
  ])('a run in a wrong environment refuses %o', async (environment, messages) => {
    expectRefusal(await run({}, environment), messages, /Correct it or leave it out/);
  });
});

describe('a run that can go on', () => {
  it('a run that can go on goes on for the other leads when no store has one of them, which is given up as truth_missing', async () => {
    const { exitCode, stdout, stderr } = await run({ leads: '24,72' });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const report = JSON.parse(stdout) as ValidationReport;
    expect(report.run.status).toBe('completed');
    for (const miner of report.miners) {
      expect(miner.era5_scores).toMatchObject({ 24: expect.any(Number) as number, 72: null });
    }
    const { rows } = await database.pool.query(
      `select distinct lead_hours, status, error_type from weather_forecast_steps
       where run_id = $1 and step_name = 'era5' and status not in ('waiting_for_truth') order by lead_hours`,
      [report.run.id],
    );
    expect(rows).toEqual([
      { lead_hours: 24, status: 'succeeded', error_type: null },
      { lead_hours: 72, status: 'failed', error_type: 'truth_missing' },
    ]);
  });

  it('a run that can go on goes on without metrics when their port is taken, and says so', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    const { exitCode, stdout, stderr } = await run({}, { BAROGRAPH_METRICS_PORT: String(port) });
    expect(exitCode).toBe(0);
    expect(stderr).toContain(
      `the metrics port ${port} is taken by another program; set BAROGRAPH_METRICS_PORT`,
    );
    const report = JSON.parse(stdout) as ValidationReport;
    expect(report).toMatchObject({ run: { status: 'completed' }, where: { metrics: null } });
    await new Promise((resolve) => taken.close(resolve));
  });
});
