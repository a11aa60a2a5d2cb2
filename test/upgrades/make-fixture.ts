import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { createDatabasePool } from '#database/connect';
import { startEmbeddedPostgres } from '#database/embedded';
import { storeDatabase, writeStoredVersion } from './support/stored-version.ts';

// Makes the fixture of a version for the tests of upgrades. Run once for each version, in a checkout of the newest one:
//
//   git worktree add ../barograph-962c016 962c016 && (cd ../barograph-962c016 && npm ci)
//   npx tsx test/upgrades/make-fixture.ts ../barograph-962c016 test/upgrades/fixtures/962c016.json.gz
//
// The database holds a completed run, a failed one (no GFS), one that its user ended, and, of a second validator, one
// that was killed under way while the recorder waited for a lock: what it recorded last is in the spool alone.

const [checkout = '', target = ''] = process.argv.slice(2);
if (checkout === '' || target === '')
  throw new Error('Two arguments are needed: the checkout of the version, and the file to write.');

const work = await mkdtemp(join(tmpdir(), 'barograph-fixture-'));
const server = await startEmbeddedPostgres(join(work, 'database'));
const pool = createDatabasePool(server.connectionString);

/** Starts a program of the version. */
function start(program: string, args: readonly string[], environment: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, ['--import', 'tsx', `src/${program}.ts`, ...args], {
    cwd: checkout,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      DATABASE_URL: server.connectionString,
      BAROGRAPH_DATA_DIR: join(work, 'data'),
      BAROGRAPH_METRICS_PORT: '0',
      ...environment,
    },
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  return { child, ended };
}

async function until(pool: Pool, sql: string): Promise<void> {
  for (;;) {
    const { rows } = await pool.query<{ is_so: boolean }>(sql).catch(() => ({ rows: [] }));
    if (rows[0]?.is_so === true) return;
    await sleep(20);
  }
}

const FIRST = { BAROGRAPH_VALIDATOR_HOTKEY: 'first-validator' };
const SECOND = { BAROGRAPH_VALIDATOR_HOTKEY: 'second-validator' };
const DAY = 86_400_000;

async function completeRun(): Promise<void> {
  await start('start-command', ['--once', '--miners', '4', '--seed', '7'], FIRST).ended;
}

/** GFS never has the cycle: the stores are of the day before. */
async function failRun(): Promise<void> {
  const today = new Date(Math.floor(Date.now() / DAY) * DAY);
  const initTime = new Date(today.getTime() - DAY);
  const world = (await import(join(checkout, 'src/world/index.ts'))) as {
    readonly makeDemonstrationWorld: (options: object) => Promise<Readonly<Record<string, string>>>;
  };
  const stores = await world.makeDemonstrationWorld({ directory: join(work, 'world'), initTime, seed: 7 });
  const named = ['truth', 'climatology', 'reference', 'analysis'].flatMap((name) => [
    `--${name}`,
    stores[name] ?? '',
  ]);
  const cycle = new Date(initTime.getTime() + DAY / 4).toISOString();
  await start('cli', ['run', ...named, '--init-time', cycle, '--miners', '3', '--leads', '24,48'], FIRST)
    .ended;
}

const isWaiting = (hotkey: string): string =>
  `select count(*) > 0 as is_so from pipeline.leads join pipeline.runs using (run_id)
   where validator_hotkey = '${hotkey}' and state = 'waiting_for_truth' and runs.finished_at is null`;

async function abandonRun(): Promise<void> {
  const run = start('start-command', ['--once', '--miners', '3', '--seed', '7'], {
    ...FIRST,
    BAROGRAPH_DELAY_FACTOR: '0.001',
  });
  await until(pool, isWaiting('first-validator'));
  run.child.kill('SIGINT');
  await run.ended;
}

/** The recorder waits for the row of its validator from then on that the run asks its miners, and the run goes on. */
async function killRun(): Promise<void> {
  const run = start('start-command', ['--once', '--miners', '3', '--seed', '7'], {
    ...SECOND,
    BAROGRAPH_DELAY_FACTOR: '0.001',
  });
  await until(
    pool,
    `select exists (select from validators where hotkey = 'second-validator') and exists (
       select from pipeline.runs where validator_hotkey = 'second-validator' and status = 'awaiting_results') as is_so`,
  );
  const client = await pool.connect();
  await client.query('begin');
  await client.query(`select from validators where hotkey = 'second-validator' for update`);
  await until(pool, isWaiting('second-validator'));
  await kill(run);
  await client.query('rollback');
  client.release();
  // The session of the killed process may still be writing its batch.
  await until(
    pool,
    `select not exists (select from pg_stat_activity
       where application_name like 'barograph-%' and pid <> pg_backend_pid()) as is_so`,
  );
}

async function kill(run: { readonly child: ChildProcess; readonly ended: Promise<unknown> }): Promise<void> {
  run.child.kill('SIGKILL');
  await run.ended;
}

/** The files of all spools, without the locks of their dead owners, whose process ids mean nothing elsewhere. */
async function readSpool(): Promise<Record<string, string>> {
  const root = join(work, 'data', 'spool');
  const files = (await readdir(root, { recursive: true, withFileTypes: true })).filter((entry) =>
    entry.isFile(),
  );
  const spool: Record<string, string> = {};
  for (const { parentPath, name } of files) {
    if (name.startsWith('owner')) continue;
    // The first folder is that of the database, which has another name in a test.
    const path = relative(root, join(parentPath, name)).split(/[/\\]/).slice(1).join('/');
    spool[path] = (await readFile(join(parentPath, name))).toString('base64');
  }
  return spool;
}

await completeRun();
await failRun();
await abandonRun();
await killRun();
await writeStoredVersion(target, {
  commit: basename(target).replace(/\.json\.gz$/, ''),
  madeAt: new Date().toISOString(),
  ...(await storeDatabase(pool)),
  spool: await readSpool(),
});
await pool.end();
await server.stop();
await rm(work, { recursive: true, force: true });
