import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { connectDatabase } from '#database/connect';
import { startEmbeddedPostgres } from '#database/embedded';
import { findTemporaryPlace } from '#database/embedded/shared-place';
import { findServerAccount } from '#database/embedded/os-user';
import { postmasterFilePath, readPostmasterFile } from '#database/embedded/postmaster-file';
import { temporaryFolder } from '../support/temporary-folder.ts';

const FAST = { settings: { fsync: 'off' } };

/** One data directory for the whole file, because initdb is slow. */
let directory: string;
beforeAll(async () => {
  const place = await findTemporaryPlace(await findServerAccount());
  const parent = await mkdtemp(join(place, 'barograph-embedded-'));
  await chmod(parent, 0o711);
  directory = join(parent, 'data');
});
afterAll(async () => {
  const server = await startEmbeddedPostgres(directory, FAST);
  await server.stop();
  await rm(join(directory, '..'), { recursive: true, force: true });
});

/** The first column of the first row. */
async function ask(url: string, sql: string): Promise<unknown> {
  const pool = await connectDatabase(url);
  try {
    const { rows } = await pool.query<{ answer: unknown }>(`select (${sql}) as answer`);
    return rows[0]?.answer;
  } finally {
    await pool.end();
  }
}

async function run(url: string, sql: string): Promise<void> {
  const pool = await connectDatabase(url);
  await pool.query(sql).finally(async () => pool.end());
}

function cluster(): string {
  return join(directory, 'cluster');
}

async function postmasterPid(): Promise<number> {
  return (await readPostmasterFile(cluster()))?.pid ?? 0;
}

describe('embedded server', () => {
  it('rows, address and settings of a server survive a stop and a start', async () => {
    const first = await startEmbeddedPostgres(directory, FAST);
    await run(first.connectionString, 'create table kept as select 42 as n');
    await first.stop();
    const second = await startEmbeddedPostgres(directory, FAST);
    expect(second.kind).toBe('embedded');
    expect(second.connectionString).toBe(first.connectionString);
    expect(await ask(second.connectionString, 'select n from kept')).toBe(42);
    expect(await ask(second.connectionString, `select current_setting('fsync')`)).toBe('off');
    await second.stop();
  });

  it('a server listens on the loopback only, with a password, in UTF-8 and UTC', async () => {
    const server = await startEmbeddedPostgres(directory, FAST);
    const setting = async (name: string) => ask(server.connectionString, `select current_setting('${name}')`);
    expect(await setting('listen_addresses')).toBe('127.0.0.1');
    expect(await setting('unix_socket_directories')).toBe('');
    expect(await setting('server_encoding')).toBe('UTF8');
    expect(await setting('log_timezone')).toBe('UTC');
    const stranger = new URL(server.connectionString);
    stranger.password = 'guessed';
    await expect(connectDatabase(stranger.href)).rejects.toThrow(/refused the password/);
    await server.stop();
  });

  it('the log of a server contains neither values nor statements', async () => {
    const server = await startEmbeddedPostgres(directory, FAST);
    await run(server.connectionString, 'create table once (k text primary key)');
    const twice = run(server.connectionString, `insert into once values ('s3cret'), ('s3cret')`);
    await expect(twice).rejects.toMatchObject({ code: '23505' });
    await server.stop();
    const log = await readFile(join(directory, 'postgres.log'), 'utf8');
    expect(log).toContain('duplicate key');
    expect(log).not.toContain('s3cret');
  });

  it('the password of a server is readable by this user only', async () => {
    expect((await stat(join(directory, 'postgres.json'))).mode & 0o077).toBe(0);
    expect(await readdir(directory)).not.toContain('cluster.password');
  });
});

describe('several users of one data directory', () => {
  it('several users share one server, which the last of them stops', async () => {
    const servers = await Promise.all([1, 2, 3].map(async () => startEmbeddedPostgres(directory, FAST)));
    const [first, second, third] = servers;
    expect(new Set(servers.map(({ connectionString }) => connectionString)).size).toBe(1);
    await Promise.all([first?.stop(), first?.stop(), second?.stop()]);
    expect(await ask(third?.connectionString ?? '', 'select 1')).toBe(1);
    await third?.stop();
    expect(await readPostmasterFile(cluster())).toBeUndefined();
  });

  it('a start concurrent with a stop always yields a running server', async () => {
    let server = await startEmbeddedPostgres(directory, FAST);
    for (const round of [1, 2, 3]) {
      const [next] = await Promise.all([startEmbeddedPostgres(directory, FAST), server.stop()]);
      expect(await ask(next.connectionString, `select ${round}`)).toBe(round);
      server = next;
    }
    await server.stop();
  });
});

describe('after a kill', () => {
  it('the server of a killed program continues, is adopted with its rows, and is stopped by the adopter', async () => {
    const script = join(import.meta.dirname, 'fixtures', 'use-embedded.ts');
    const child = spawn(process.execPath, ['--import', 'tsx', script, directory], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const url = line.toString().trim();
    await run(url, 'create table orphaned as select 7 as n');
    const pid = await postmasterPid();
    child.kill('SIGKILL');
    await once(child, 'exit');

    const adopted = await startEmbeddedPostgres(directory, FAST);
    expect(adopted.connectionString).toBe(url);
    expect(await postmasterPid()).toBe(pid);
    expect(await ask(url, 'select n from orphaned')).toBe(7);
    await adopted.stop();
    expect(await readPostmasterFile(cluster())).toBeUndefined();
  });

  it('the start after a killed server recovers what was committed', async () => {
    const killed = await startEmbeddedPostgres(directory, FAST);
    await run(killed.connectionString, 'create table committed as select 9 as n');
    process.kill(await postmasterPid(), 'SIGKILL');
    const next = await startEmbeddedPostgres(directory, FAST);
    expect(await ask(next.connectionString, 'select n from committed')).toBe(9);
    await killed.stop();
    expect(await ask(next.connectionString, 'select 1')).toBe(1);
    await next.stop();
  });

  it.runIf(process.platform === 'linux')(
    'another process that reused the PID of the server after a reboot is not signalled',
    async () => {
      await writeFile(postmasterFilePath(cluster()), `${process.pid}\n${cluster()}\n1\n1\n\n\n\nready\n`);
      const server = await startEmbeddedPostgres(directory, FAST);
      expect(await postmasterPid()).not.toBe(process.pid);
      await server.stop();
    },
  );
});

describe('start with an obstacle', () => {
  it('a start uses another port when the stored one is taken', async () => {
    const before = await startEmbeddedPostgres(directory, FAST);
    await before.stop();
    const occupant = createServer().listen(Number(new URL(before.connectionString).port), '127.0.0.1');
    onTestFinished(() => void occupant.close());
    await once(occupant, 'listening');
    const after = await startEmbeddedPostgres(directory, FAST);
    expect(after.connectionString).not.toBe(before.connectionString);
    expect(await ask(after.connectionString, 'select 1')).toBe(1);
    await after.stop();
  });

  it('a failed start reports the error of PostgreSQL, and the next start succeeds', async () => {
    const broken = startEmbeddedPostgres(directory, { settings: { max_connections: 'many' } });
    await expect(broken).rejects.toThrow(/did not start: .*max_connections.*See its log/);
    const server = await startEmbeddedPostgres(directory, FAST);
    await server.stop();
  });

  it('a missing cluster of a used data directory is an error, never an empty database', async () => {
    const folder = await temporaryFolder();
    const state = { password: 'x'.repeat(32), clusterDirectory: join(folder, 'gone'), port: 5555 };
    await writeFile(join(folder, 'postgres.json'), JSON.stringify(state), { mode: 0o600 });
    await expect(startEmbeddedPostgres(folder)).rejects.toThrow(/rows of the embedded PostgreSQL are gone/);
  });

  it('an incomplete cluster of a killed first start is created again', async () => {
    const parent = join(directory, '..', 'half');
    await mkdir(join(parent, 'cluster.new'), { recursive: true });
    await writeFile(join(parent, 'cluster.new', 'PG_VERSION'), '18');
    await chmod(parent, 0o711);
    const server = await startEmbeddedPostgres(parent, FAST);
    expect(await ask(server.connectionString, 'select 1')).toBe(1);
    await server.stop();
  });

  it.runIf(process.getuid?.() === 0)(
    'a data directory that only root can enter has its cluster where the account of the server can reach it',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'barograph-private-'));
      const server = await startEmbeddedPostgres(join(folder, 'data'), FAST);
      const { clusterDirectory } = JSON.parse(
        await readFile(join(folder, 'data', 'postgres.json'), 'utf8'),
      ) as {
        clusterDirectory: string;
      };
      expect(clusterDirectory.startsWith(folder)).toBe(false);
      expect(await ask(server.connectionString, 'select 1')).toBe(1);
      await server.stop();
      await rm(clusterDirectory, { recursive: true });
      await rmdir(dirname(clusterDirectory)).catch(() => undefined);
      await rm(folder, { recursive: true });
    },
  );
});
