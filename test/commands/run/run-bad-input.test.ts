import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SHORT_DELAYS } from '#test/support/short-delays';
import { runCommand } from '#commands/run/run';
import type { ValidationReport } from '#commands/run/validation-report';
import { findFreePort } from '#database/embedded/free-port';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';
import { invoke, type Invocation } from '../support/invoke.ts';
import {
  editJson,
  toArguments,
  writeTinyStore,
  writeTinyWorld,
  type RunArguments,
} from '../support/tiny-stores.ts';

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
    ...SHORT_DELAYS,
    ...environment,
  });

/** Ended with words on standard error, and nothing where a document is expected. */
function expectRefusal(
  { exitCode, stdout, stderr }: Invocation,
  ...expected: readonly (string | RegExp)[]
): void {
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  for (const words of expected) expect(stderr).toMatch(words);
  expect(stderr).not.toContain('    at ');
}

describe('barograph run with invalid options', () => {
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
    'the invalid option (%s) is refused with its value and what is allowed',
    async (_name, changes, expected) => {
      expectRefusal(await run(changes), ...expected);
    },
  );
});

describe('barograph run on an unusable store', () => {
  it('a missing store is reported with its option', async () => {
    expectRefusal(
      await run({ truth: join(folder, 'nothing.zarr') }),
      /^--truth cannot be read as a Zarr store: /,
      /not/,
    );
  });

  it('a store without any known variable is reported with its option and the variables', async () => {
    const without = ['2t', 'msl', '10u', 'z'] as const;
    const store = await writeTinyStore(join(folder, 'empty.zarr'), { without });
    expectRefusal(
      await run({ climatology: store }),
      /^--climatology/,
      /none of the forecast variables 2t, msl, 10u/,
    );
  });

  it('a store with wrong dimensions is reported with its option and the expected dimensions', async () => {
    const store = await writeTinyStore(join(folder, 'turned.zarr'), {}, (files) =>
      editJson(files, '2t/.zattrs', (attributes) => (attributes['_ARRAY_DIMENSIONS'] = ['time', 'x', 'y'])),
    );
    expectRefusal(await run({ reference: store }), /^--reference/, /2t/, /time: 3, x: 5, y: 6/, /lat/, /lon/);
  });

  it('a directory of forecasts without a store is reported', async () => {
    expectRefusal(
      await run({ forecasts: join(folder, 'nothing') }),
      /--forecasts nothing holds no store/,
      /NAME\.zarr/,
    );
  });
});

describe('barograph run with a miners file', () => {
  const listed = async (content: string): Promise<Invocation> => {
    const file = join(folder, 'miners.json');
    await writeFile(file, content);
    return run({ 'miners-file': file });
  };

  it('a miners file that is not JSON, not a list or empty is refused', async () => {
    expectRefusal(await listed('miners:'), /is not JSON/, /Write a JSON list like \[\{"uid": 17/);
    expectRefusal(await listed('{}'), /Write a JSON list/);
    expectRefusal(await listed('[]'), /holds no miner/);
  });

  it('a miners file with an invalid entry is refused with its index and never its URL', async () => {
    const entry = { uid: 300, hotkey: 'nobody', url: 'http://user:secret@203.0.113.9' };
    const ended = await listed(JSON.stringify([entry]));
    expectRefusal(ended, /uid/, /above 255/, /hotkey/, /url/);
    expect(ended.stderr).not.toMatch(/secret|203\.0/);
  });

  it('a miners file that does not exist is refused', async () => {
    expectRefusal(await run({ 'miners-file': join(folder, 'nobody.json') }), /nobody\.json/);
  });
});

describe('barograph run in an invalid environment', () => {
  it('a refused database connection is reported with its address', async () => {
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

  it('an invalid database URL is refused with the expected form and is not repeated', async () => {
    const ended = await run({}, { DATABASE_URL: 'mysql://user:secret@host/db' });
    expectRefusal(ended, /not a PostgreSQL URL/, /postgres:\/\/user:password@host:port\/database/);
    expect(ended.stderr).not.toContain('secret');
  });

  it('a database of a newer version is refused and not changed', async () => {
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
  ])('the environment %o is refused', async (environment, expected) => {
    expectRefusal(await run({}, environment), expected, /Correct it or leave it out/);
  });
});

describe('barograph run with a partial failure', () => {
  it('a lead that no store has fails as truth_missing, and the other leads are scored', async () => {
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

  it('a metrics port in use is a warning, and the run completes without metrics', async () => {
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
