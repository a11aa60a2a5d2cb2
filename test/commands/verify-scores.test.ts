import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SHORT_DELAYS } from '#test/support/short-delays';
import { runCommand } from '#commands/run/run';
import type { VerifiedLead } from '#commands/verify-scores/compare-scores';
import { verifyScoresCommand } from '#commands/verify-scores/verify-scores';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { invoke, type Invocation } from './support/invoke.ts';
import { toArguments, writeTinyStore, writeTinyWorld } from './support/tiny-stores.ts';

let folder: string;
let database: TestDatabase;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'barograph-test-'));
  database = await createTestDatabase();
  await writeTinyStore(join(folder, 'forecasts/one.zarr'), { error: 0.1, phase: 1 });
  const options = { ...(await writeTinyWorld(folder)), miners: '1', forecasts: join(folder, 'forecasts') };
  const ended = await invoke(runCommand(), toArguments(options), {
    DATABASE_URL: database.connectionString,
    ...SHORT_DELAYS,
  });
  expect(ended).toMatchObject({ exitCode: 0, stderr: '' });
}, 120_000);
afterAll(async () => {
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

const places = (): Record<string, string> => ({
  forecast: join(folder, 'forecasts/one.zarr'),
  truth: join(folder, 'truth.zarr'),
  climatology: join(folder, 'climatology.zarr'),
  reference: join(folder, 'reference.zarr'),
});
const verify = (stores: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Invocation> =>
  invoke(
    verifyScoresCommand(),
    [
      ...['--run', '1', '--miner', '0'],
      ...Object.entries(stores).flatMap(([role, place]) => [`--${role}`, place]),
      ...args,
    ],
    { DATABASE_URL: database.connectionString },
  );
const leadsOf = ({ stdout }: Invocation): readonly VerifiedLead[] =>
  (JSON.parse(stdout) as { readonly leads: readonly VerifiedLead[] }).leads;
const verdictsOf = (ended: Invocation): unknown =>
  leadsOf(ended).map(({ score_type: type, lead_hours: lead, verdict }) => `${type} ${lead} ${verdict}`);

/** Runs with other content of one file, and puts the old one back. */
async function withFile<Result>(
  path: string,
  change: (content: Uint8Array) => Uint8Array | null,
  act: () => Promise<Result>,
): Promise<Result> {
  const file = join(folder, path);
  const before = await readFile(file);
  const after = change(before);
  await (after === null ? rm(file) : writeFile(file, after));
  try {
    return await act();
  } finally {
    await writeFile(file, before);
  }
}

describe('barograph verify-scores', () => {
  it('every lead is equal while the stores are untouched, and the command ends with 0', async () => {
    const ended = await verify(places(), '--json');
    expect(ended).toMatchObject({ exitCode: 0, stderr: '' });
    expect(verdictsOf(ended)).toEqual(['day1 12 equal', 'era5 24 equal', 'era5 48 equal']);
    for (const lead of leadsOf(ended)) expect(lead.score_now).toBe(lead.score);
    const words = await verify(places(), '--lead', '24');
    expect(words).toMatchObject({ exitCode: 0, stderr: '' });
    expect(words.stdout).toMatch(/^era5 24 h: equal: score 0\.\d+, 5 fields\.\n$/);
  });

  it('the stores of the run are opened where they were when the run was created, unless they are named', async () => {
    const own = { forecast: join(folder, 'forecasts/one.zarr') };
    const ended = await verify(own, '--json');
    expect(ended).toMatchObject({ exitCode: 0, stderr: '' });
    expect(verdictsOf(ended)).toEqual(['day1 12 equal', 'era5 24 equal', 'era5 48 equal']);
  });

  it('a changed chunk of truth is named by store, variable, lead and digests, and is no wrong score', async () => {
    const other = await readFile(join(folder, 'truth.zarr/z/1.1.0.0'));
    const ended = await withFile(
      'truth.zarr/z/1.0.0.0',
      () => other,
      async () => ({ json: await verify(places(), '--json'), words: await verify(places()) }),
    );
    expect(ended.json.exitCode).toBe(1);
    expect(verdictsOf(ended.json)).toEqual(['day1 12 equal', 'era5 24 input_changed', 'era5 48 equal']);
    const [, lead] = leadsOf(ended.json);
    expect(lead?.changed_inputs).toEqual([
      {
        role: 'truth',
        address: '/truth.zarr',
        field: 'z500',
        digest_before: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
        digest_now: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      },
    ]);
    expect(new Set(lead?.differences.map(({ field }) => field))).toEqual(new Set(['z500']));
    expect(ended.words.stdout).toMatch(
      /era5 24 h: 1 field is not what was scored; the score was 0\.\d+ and would be 0\.\d+\.\n {2}truth \/truth\.zarr, z500: [0-9a-f]{12}… when scored, [0-9a-f]{12}… now\n/,
    );
    expect(ended.words.stdout).not.toContain('WRONG');
  });

  it('a store that is gone is said, and a store that was not named is asked for with its address', async () => {
    const gone = await verify({ ...places(), truth: join(folder, 'gone.zarr') }, '--json');
    expect(gone.exitCode).toBe(1);
    expect(verdictsOf(gone)).toEqual(['day1 12 unreadable', 'era5 24 unreadable', 'era5 48 unreadable']);
    expect(leadsOf(gone)[0]?.reason).toMatch(/^--truth cannot be read as a Zarr store: .*neither .zgroup/);
    const own = Object.fromEntries(Object.entries(places()).filter(([role]) => role !== 'forecast'));
    const unnamed = await verify(own, '--lead', '48');
    expect(unnamed.exitCode).toBe(1);
    expect(unnamed.stdout).toMatch(
      /^era5 48 h: cannot be verified: The store of the forecast was not named: give it by --forecast\. It was read from http:\/\/\[host\]\/\S+ \(verified\)\.$/m,
    );
  });

  it('a chunk that is deleted is a changed input of its lead, and the other leads are verified', async () => {
    const ended = await withFile(
      'truth.zarr/2t/2.0.0',
      () => null,
      () => verify(places(), '--json'),
    );
    expect(ended.exitCode).toBe(1);
    expect(verdictsOf(ended)).toEqual(['day1 12 equal', 'era5 24 equal', 'era5 48 input_changed']);
  });

  it('other scores of another scorer are told as a comparison between versions, of the same one as wrong', async () => {
    const { pool } = database;
    const setRecorded = (version: string, score: number): Promise<unknown> =>
      pool.query(
        `update weather_forecast_steps set facts = jsonb_set(jsonb_set(facts, '{state,scorerVersion}', to_jsonb($1::text)),
           '{state,scoreEra5}', to_jsonb($2::float8)) where step_name = 'era5' and lead_hours = 24 and status = 'succeeded'`,
        [version, score],
      );
    const [lead] = leadsOf(await verify(places(), '--lead', '24', '--json'));
    const version = lead?.scorer_version ?? '';
    await setRecorded('0', 0.25);
    const between = await verify(places(), '--lead', '24');
    expect(between.exitCode).toBe(1);
    expect(between.stdout).toContain('other scores by other rules: 0.250000 was recorded');
    expect(between.stdout).toContain(
      `The comparison is between versions of the scorer: 0 when recorded, ${version} now.`,
    );
    await setRecorded(version, 0.25);
    const wrong = await verify(places(), '--lead', '24', '--json');
    expect(verdictsOf(wrong)).toEqual(['era5 24 score_differs']);
    await setRecorded(version, lead?.score ?? 0);
  });

  it('scores of which no digest was recorded prove nothing, and it is said', async () => {
    const { pool } = database;
    await pool.query(
      `update weather_forecast_component_scores
       set forecast_digest = null, truth_digest = null, reference_digest = null, climatology_digest = null
       where lead_hours = 12`,
    );
    const ended = await verify(places(), '--lead', '12', '--json');
    expect(ended.exitCode).toBe(1);
    expect(verdictsOf(ended)).toEqual(['day1 12 unproved']);
  });

  it('a miner without recorded scores is an error that names the query of recorded ones', async () => {
    const { exitCode, stderr } = await verify(places(), '--lead', '72');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('No score was recorded of miner 0 in run 1 at 72 h');
  });
});

describe('the recorded inputs', () => {
  it('the view has one row for each store of a scoring, without hosts and folders', async () => {
    const { rows } = await database.pool.query<Record<string, unknown>>(
      `select role, kind, address, length(digest) as digits, expver from score_inputs
       where score_type = 'era5' and lead_hours = 48 order by role`,
    );
    expect(rows).toEqual([
      { role: 'climatology', kind: 'directory', address: '/climatology.zarr', digits: 64, expver: null },
      {
        role: 'forecast',
        kind: 'verified',
        address: expect.stringMatching(/^http:\/\/\[host\]\//) as string,
        digits: 64,
        expver: null,
      },
      { role: 'reference', kind: 'directory', address: '/reference.zarr', digits: 64, expver: null },
      { role: 'truth', kind: 'directory', address: '/truth.zarr', digits: 64, expver: null },
    ]);
  });

  it('each component row has the digests of its four fields', async () => {
    const { rows } = await database.pool.query<{ whole: boolean }>(
      `select bool_and(length(forecast_digest) = 32 and length(truth_digest) = 32
         and length(reference_digest) = 32 and length(climatology_digest) = 32) as whole
       from weather_forecast_component_scores where score_type = 'era5'`,
    );
    expect(rows).toEqual([{ whole: true }]);
  });
});
