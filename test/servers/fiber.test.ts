import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFleet, type Profile } from '#fleet';
import { createPipeline } from '#pipeline';
import { createFiberTransport } from '#pipeline/miners/fiber/fiber-transport';
import { signerOfSeed } from '#pipeline/miners/hotkey-file';
import { createMinerClient, MinerCallError, toJobId, type FiberDialect } from '#pipeline/miners/index';
import { INIT_TIME, tinyFiles, tinyStore } from '../pipeline/support/tiny-world.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { selfSigned, startPythonMiner, type PythonMiner } from './support/python-miner.ts';
import { findPython } from './support/python-programs.ts';

const python = findPython();
const signer = signerOfSeed(new Uint8Array(32).fill(1));
const STRANGER = '5CfCr47V5Dte6bwxNBE8K9oNnQd9fiay6aDEEkgYtFv7w4Fq';
const LEADS = [12, 24];
const REQUEST = { initTime: INIT_TIME, validatorHotkey: signer.hotkey };

const clientOf = (dialect: FiberDialect) =>
  createMinerClient({ transport: createFiberTransport({ signer, dialect }) });

const errorOf = (call: Promise<unknown>): Promise<MinerCallError> =>
  call.then(
    () => Promise.reject(new Error('nothing failed')),
    (error: unknown) => (error instanceof MinerCallError ? error : Promise.reject(error as Error)),
  );

/** Simulated miners, and what a run over fiber makes of each. */
const SIMULATED: readonly (readonly [Profile, string])[] = [
  ['good', 'completed'],
  ['good', 'completed'],
  ['slow', 'completed'],
  ['flaky', 'completed'],
  ['rejecting', 'query rejected_identity'],
  ['offline', 'query connection'],
  ['nan', 'era5 data_coverage'],
  ['failing', 'poll miner_inference'],
];
/** Miners of Python by their options. They host no forecast: a run ends where one is asked for. */
const WITHOUT_FORECAST = 'verify not_found';
const PYTHON = (tls: readonly string[]): readonly (readonly [readonly string[], string])[] => [
  [[], WITHOUT_FORECAST],
  [['--forget-after', '2'], WITHOUT_FORECAST],
  [tls, WITHOUT_FORECAST],
  [['--status', 'failed'], 'poll miner_inference'],
  [['--allow', STRANGER], 'query http_4xx'],
  [['--skew', '300'], 'query http_4xx'],
  [['--skew=-300'], 'query http_4xx'],
  [['--unencrypted'], 'query handshake'],
];

describe.skipIf(python === null)('A miner whose keys and ciphers are those of Python', () => {
  let folder: string;
  const opened: PythonMiner[] = [];
  const start = async (uid: number, options: readonly string[] = []): Promise<PythonMiner> => {
    const started = await startPythonMiner(python ?? '', uid, options);
    opened.push(started);
    return started;
  };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'barograph-fiber-'));
  });
  afterAll(async () => {
    for (const one of opened) await one.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('takes requests of both dialects, and new keys after it lost the old ones', async () => {
    for (const dialect of ['encrypted', 'unencrypted'] as const) {
      const client = clientOf(dialect);
      const { miner, forgetKeys } = await start(3, dialect === 'encrypted' ? [] : ['--unencrypted']);
      const jobId = toJobId(INIT_TIME, miner.hotkey);
      await expect(client.initiateFetch(miner, REQUEST)).resolves.toEqual({ kind: 'accepted', jobId });
      forgetKeys();
      await expect(client.pollJobStatus(miner, jobId)).resolves.toEqual({ kind: 'completed' });
      await client.close();
    }
  });

  it.each([
    [['--skew', '121'], 401, /clock is 121 s ahead of this machine's/],
    [['--skew=-121'], 401, /clock is 121 s behind this machine's/],
    [['--allow', STRANGER], 403, /"Hotkey not found in metagraph\\?"|does not serve 5Ccyqx/],
    [['--unencrypted'], 404, /--fiber-dialect unencrypted/],
  ])('%j is told by its reason', async (options, statusCode, words) => {
    const client = clientOf('encrypted');
    const { miner } = await start(4, options);
    const error = await errorOf(client.initiateFetch(miner, REQUEST));
    expect(error).toMatchObject({ statusCode, category: statusCode === 404 ? 'handshake' : 'http_4xx' });
    expect(error.message).toMatch(words);
    await client.close();
  });

  it('an encrypted miner that gets unencrypted requests is told by the other dialect', async () => {
    const client = clientOf('unencrypted');
    const { miner } = await start(5);
    const error = await errorOf(client.initiateFetch(miner, REQUEST));
    expect(error).toMatchObject({ statusCode: 422, category: 'http_4xx' });
    expect(error.message).toContain('--fiber-dialect encrypted');
    await client.close();
  });

  it('a run of 16 miners, half of them of Python, ends each as its option leads to', async () => {
    const fleet = await startFleet({
      count: SIMULATED.length,
      seed: 3,
      initTime: INIT_TIME,
      delayFactor: 1e-3,
      dialect: 'encrypted',
      profiles: SIMULATED.map(([profile]) => profile),
      forecastFor: ({ profile }) =>
        tinyFiles({ leads: LEADS, error: 0.1, phase: 1, nanEvery: profile === 'nan' ? 2 : 0 }),
    });
    const variants = PYTHON(selfSigned(python ?? '', folder));
    const others = await Promise.all(
      variants.map(([options], index) => start(SIMULATED.length + index, options)),
    );
    const database = await createTestDatabase();
    const client = clientOf('encrypted');
    const [truth, climatology, reference] = [
      await tinyStore({ leads: LEADS, error: 0 }),
      await tinyStore({ leads: LEADS, error: -1.4, phase: 2 }),
      await tinyStore({ leads: LEADS, error: 0.4, phase: 5 }),
    ];
    const pipeline = createPipeline({
      connectionString: database.connectionString,
      delayFactor: 1e-4,
      queuePollMillis: 20,
      minerClient: client,
      stores: { truth, climatology, reference },
    });
    const miners = [...fleet.miners, ...others.map(({ miner }) => miner)];
    const runId = await pipeline.createRun({
      validatorHotkey: signer.hotkey,
      initTime: INIT_TIME,
      miners,
      leads: [24],
    });
    await pipeline.start();
    await pipeline.finished(runId);
    const { rows } = await database.pool.query<{ ended: string }>(
      `select case state when 'completed' then state else failed_step || ' ' || failure_category end as ended
       from pipeline.run_miners order by miner_uid`,
    );
    expect(rows.map(({ ended }) => ended)).toEqual([...SIMULATED, ...variants].map(([, ended]) => ended));
    await pipeline.stop();
    await client.close();
    await fleet.close();
    await database.drop();
  });
});
