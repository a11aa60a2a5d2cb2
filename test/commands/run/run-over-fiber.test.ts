import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '#commands/run/run';
import { workCommand } from '#commands/work/work';
import type { ValidationReport } from '#commands/run/validation-report';
import { signerOfSeed } from '#pipeline/miners/hotkey-file';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';
import { SHORT_DELAYS } from '#test/support/short-delays';
import { invoke, type Invocation } from '../support/invoke.ts';
import { toArguments, writeTinyWorld, type RunArguments } from '../support/tiny-stores.ts';

/** What the hotkey is made of: must stand nowhere. */
const CANARY = 'deadc0de'.repeat(8);
const { hotkey } = signerOfSeed(Buffer.from(CANARY, 'hex'));

let folder: string;
let world: RunArguments;
let hotkeyFile: string;
const databases: TestDatabase[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'barograph-fiber-'));
  world = { ...(await writeTinyWorld(folder)), miners: '16', seed: '3' };
  hotkeyFile = join(folder, 'default');
  await writeFile(hotkeyFile, JSON.stringify({ secretSeed: `0x${CANARY}`, ss58Address: hotkey }));
});
afterAll(async () => {
  for (const database of databases) await database.drop();
  await rm(folder, { recursive: true, force: true });
});

async function run(changes: RunArguments, environment: Readonly<Record<string, string>> = {}) {
  const database = await createTestDatabase();
  databases.push(database);
  const dataDirectory = join(folder, `data-${databases.length}`);
  const ended = await invoke(runCommand(), toArguments(world, changes), {
    DATABASE_URL: database.connectionString,
    BAROGRAPH_DATA_DIR: dataDirectory,
    ...SHORT_DELAYS,
    ...environment,
  });
  return { ...ended, pool: database.pool, dataDirectory };
}

/** Every row of every table, as text. */
async function everyRow(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ name: string }>(
    `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
     where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')`,
  );
  const texts = rows.map(async ({ name }) => {
    const { rows: all } = await pool.query<{ text: string }>(
      `select coalesce(string_agg(it::text, chr(10)), '') as text from ${name} as it`,
    );
    return `${name}\n${all[0]?.text ?? ''}`;
  });
  return (await Promise.all(texts)).join('\n');
}

/** Every file below a folder, as text. */
async function everyFile(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile());
  return (
    await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), 'latin1')))
  ).join();
}

/** What became of each miner, and its scores: all that does not depend on ids and the clock. */
async function outcomes(pool: Pool): Promise<unknown> {
  const { rows: forecasts } = await pool.query(
    `select miner_uid, miner_hotkey, forecast_status, current_forecast_stage, last_error_type, last_error_fault,
       forecast_score_initial, era5_combined_score from weather_forecast_stats order by miner_uid`,
  );
  const { rows: components } = await pool.query(
    `select miner_hotkey, score_type, lead_hours, variable_name, pressure_level, rmse, acc, skill_score, failed_check
     from weather_forecast_component_scores order by 1, 2, 3, 4, 5`,
  );
  return { forecasts, components };
}

describe('barograph run over fiber', () => {
  it('a run of 16 miners has the outcomes and scores of a plain one, and the secret stands nowhere', async () => {
    const signed = await run({ transport: 'fiber', 'hotkey-file': hotkeyFile });
    expect({ exitCode: signed.exitCode, stderr: signed.stderr }).toEqual({ exitCode: 0, stderr: '' });
    const report = JSON.parse(signed.stdout) as ValidationReport;
    expect(report.run).toMatchObject({ status: 'completed', validator_hotkey: hotkey });
    expect(report.miners).toHaveLength(16);

    const rows = await everyRow(signed.pool);
    expect(rows).toContain(hotkey);
    const everything = [signed.stdout, signed.stderr, rows, await everyFile(signed.dataDirectory)].join('\n');
    for (const form of [
      CANARY,
      Buffer.from(CANARY, 'hex').toString('base64'),
      Buffer.from(CANARY).toString('hex'),
    ])
      expect(everything).not.toContain(form.slice(0, 16));
    expect(everything).not.toMatch(/gAAAA[\w-]{20}|0x[0-9a-f]{128}/);

    const plain = await run({}, { BAROGRAPH_VALIDATOR_HOTKEY: hotkey });
    expect(await outcomes(signed.pool)).toEqual(await outcomes(plain.pool));
  });
});

describe('barograph run and work with a transport', () => {
  const refused = ({ exitCode, stdout, stderr }: Invocation, ...patterns: readonly RegExp[]): void => {
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    for (const pattern of patterns) expect(stderr).toMatch(pattern);
    expect(stderr).not.toMatch(/deadc0de| {4}at /);
  };

  it('fiber without a key file is refused, and says where one is named', async () => {
    refused(await run({ transport: 'fiber' }), /add --hotkey-file, or set BAROGRAPH_HOTKEY_FILE/);
    const { truth = '', climatology = '', reference = '' } = world;
    const args = toArguments(
      { truth, climatology, reference },
      { 'miners-file': join(folder, 'none.json'), transport: 'fiber' },
    );
    refused(await invoke(workCommand(), args), /add --hotkey-file, or set BAROGRAPH_HOTKEY_FILE/);
  });

  it('an unknown transport or dialect is refused with those that are allowed', async () => {
    refused(await run({ transport: 'https' }), /Allowed choices are plain, fiber/);
    refused(await run({ 'fiber-dialect': 'xml' }), /Allowed choices are encrypted, unencrypted/);
  });

  it('options of signed requests without fiber are refused, so that none is ignored', async () => {
    refused(
      await run({ 'hotkey-file': hotkeyFile }),
      /^--hotkey-file .* --transport is plain; add --transport fiber/,
    );
    refused(await run({ 'fiber-dialect': 'encrypted' }), /^--fiber-dialect .* add --transport fiber/);
  });

  it('the key file of another validator than the environment names is refused', async () => {
    const environment = { BAROGRAPH_VALIDATOR_HOTKEY: '5CcyqxXnJucaCnQQvvUg5EPzj1uoNAxACZvzArHw5aVDvgNH' };
    refused(
      await run({ transport: 'fiber', 'hotkey-file': hotkeyFile }, environment),
      /BAROGRAPH_VALIDATOR_HOTKEY is 5Ccyqx\w+, but the hotkey file is that of/,
    );
  });

  it('a key file that the environment names is read, and is refused without repeating it', async () => {
    const spoiled = join(folder, 'spoiled');
    await writeFile(spoiled, JSON.stringify({ secretSeed: CANARY, ss58Address: hotkey }));
    refused(
      await run({ transport: 'fiber' }, { BAROGRAPH_HOTKEY_FILE: spoiled }),
      /the hotkey file spoiled has a secretSeed of another form; allowed: 0x and 64 hex digits/,
    );
  });
});
