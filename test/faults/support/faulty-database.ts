import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync, appendFileSync, chmodSync } from 'node:fs';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { createDatabasePool } from '#database/connect';
import { startEmbeddedPostgres } from '#database/embedded';
import { findServerAccount } from '#database/embedded/os-user';
import { findTemporaryPlace } from '#database/embedded/shared-place';
import { migrate } from '#database/migrate';

const DISK_MIB = 3000;
const MIB = 1024 * 1024;

/** A PostgreSQL server of its own, with durable settings, on a disk of its own if there may be one. */
export interface FaultyDatabase {
  readonly url: string;
  /** Whether its disk can be filled. */
  readonly hasOwnDisk: boolean;
  /** Connections for queries of the test; recreated after each start. */
  readonly look: <Result>(work: (pool: Pool) => Promise<Result>) => Promise<Result>;
  /** Stops the server gracefully. */
  readonly stop: () => Promise<void>;
  /** Starts it, unless it runs. */
  readonly start: () => Promise<void>;
  /** Ends every process of it at once, whatever it does. */
  readonly kill: () => void;
  readonly setReadOnly: (isReadOnly: boolean) => Promise<void>;
  /** Breaks off all connections of recorders. @returns how many there were */
  readonly cutConnections: () => Promise<number>;
  readonly fillDisk: () => void;
  readonly freeDisk: () => void;
  readonly close: () => Promise<void>;
}

/** Makes a server with a migrated database. */
export async function openFaultyDatabase(): Promise<FaultyDatabase> {
  const place = mkdtempSync(join(await findTemporaryPlace(await findServerAccount()), 'barograph-faults-'));
  chmodSync(place, 0o755);
  const hasOwnDisk = mountDisk(place);
  const directory = join(place, 'postgres');
  const settings = { max_wal_size: '256MB', shared_buffers: '64MB' };
  const uses = [await startEmbeddedPostgres(directory, { settings })];
  const url = uses[0]?.connectionString ?? '';
  const stop = async (): Promise<void> => {
    for (const use of uses.splice(0)) await use.stop();
  };
  const look = async <Result>(work: (pool: Pool) => Promise<Result>): Promise<Result> => {
    const pool = createDatabasePool(url, { maxConnections: 2, applicationName: 'barograph-faults' });
    pool.on('error', () => undefined);
    try {
      return await work(pool);
    } finally {
      await pool.end();
    }
  };
  await look((pool) => migrate(pool));
  const filler = join(place, 'filler');
  return {
    url,
    hasOwnDisk,
    look,
    stop,
    start: async () => {
      const server = await startEmbeddedPostgres(directory, { settings });
      uses.push(server);
      if (server.connectionString !== url) throw new Error('The port of the server was taken meanwhile.');
    },
    kill: () => killTree(postmasterOf(directory)),
    setReadOnly: (isReadOnly) =>
      look(async (pool) => {
        await pool.query('set default_transaction_read_only = off');
        await pool.query(`alter system set default_transaction_read_only = ${isReadOnly ? 'on' : 'off'}`);
        await pool.query('select pg_reload_conf()');
      }),
    cutConnections: () =>
      look(async (pool) => {
        const { rowCount } = await pool.query(
          `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'barograph-recorder'`,
        );
        return rowCount ?? 0;
      }),
    fillDisk: () => fill(filler),
    freeDisk: () => rmSync(filler, { force: true }),
    close: async () => {
      rmSync(filler, { force: true });
      await stop();
      if (hasOwnDisk) execFileSync('umount', ['--lazy', place]);
      rmSync(place, { recursive: true, force: true });
    },
  };
}

/** A disk in memory can be filled without harm to others; only the superuser may have one. */
function mountDisk(place: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MIB}m,mode=755`, 'tmpfs', place], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}

/** Writes until there is no room for a single byte. */
function fill(path: string): void {
  writeFileSync(path, '');
  for (const bytes of [64 * MIB, MIB, 4096, 1]) {
    const block = Buffer.alloc(bytes);
    try {
      for (;;) appendFileSync(path, block);
    } catch {
      // The next smaller block may still fit.
    }
  }
}

const postmasterOf = (directory: string): number =>
  Number.parseInt(readFileSync(join(directory, 'cluster', 'postmaster.pid'), 'utf8'), 10);

/** Children first: they would shut down gracefully when they notice that their parent is gone. */
function killTree(pid: number): void {
  let children = '';
  try {
    children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  } catch {
    // Nothing is known of its children here.
  }
  for (const child of children
    .split(' ')
    .map(Number)
    .filter((number) => number > 0))
    end(child);
  end(pid);
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
