import { chmod, mkdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { findPostmaster, startPostmaster, stopPostmaster } from '#database/embedded/postmaster';
import { postmasterFilePath } from '#database/embedded/postmaster-file';
import { temporaryFolder } from '#test/support/temporary-folder';

/** A cluster, and a shell script as fake postgres that gets its folder as `$2`. */
async function fakeServer(script: string) {
  const folder = await temporaryFolder();
  const cluster = join(folder, 'cluster');
  await mkdir(cluster);
  const postgres = join(folder, 'postgres');
  await writeFile(postgres, `#!/bin/sh\n${script}\n`);
  await chmod(postgres, 0o755);
  const logFile = join(folder, 'postgres.log');
  return { cluster, options: { postgres, user: undefined, port: 5432, logFile, settings: {} } };
}

/** Writes the status file as PostgreSQL does, first starting and then ready, and exits on SIGINT or SIGQUIT. */
const STOPPABLE = `
announce() { printf '%s\\n%s\\n1\\n5432\\n\\n127.0.0.1\\n\\n%s\\n' "$$" "$2" "$1" > "$2/postmaster.pid"; }
trap 'rm "$2/postmaster.pid"; exit 0' INT QUIT
announce starting "$2"
echo "$*" > "$2/arguments"
announce ready "$2"
while :; do sleep 0.01; done`;

describe('startPostmaster', () => {
  it('a start waits until the server is ready, and a stop until it has exited', async () => {
    const { cluster, options } = await fakeServer(STOPPABLE);
    await startPostmaster(cluster, options);
    expect(await findPostmaster(cluster)).toMatchObject({ port: 5432, status: 'ready' });
    await stopPostmaster(cluster);
    expect(await findPostmaster(cluster)).toBeUndefined();
  });

  it('a server listens on the loopback at the given port, and settings of the caller override ours', async () => {
    const { cluster, options } = await fakeServer(STOPPABLE);
    await startPostmaster(cluster, {
      ...options,
      port: 6543,
      settings: { fsync: 'off', timezone: 'Asia/Tokyo' },
    });
    await stopPostmaster(cluster);
    const flags = await readFile(join(cluster, 'arguments'), 'utf8');
    expect(flags).toContain('-c listen_addresses=127.0.0.1');
    expect(flags).toContain('-c port=6543');
    expect(flags).toContain('-c fsync=off');
    expect(flags).toContain('-c timezone=Asia/Tokyo');
    expect(flags).not.toContain('timezone=UTC -c timezone');
  });

  it('a server that exits at once is reported with its last error line as not retryable', async () => {
    const { cluster, options } = await fakeServer(
      'echo "2026-01-01 00:00:00 UTC [7] LOG:  starting"; echo "2026-01-01 00:00:00 UTC [7] FATAL:  wrong version"; exit 1',
    );
    await writeFile(options.logFile, 'FATAL:  of yesterday\n');
    const starting = startPostmaster(cluster, options);
    await expect(starting).rejects.toThrow('did not start: wrong version. See its log');
    await expect(starting).rejects.toMatchObject({ retryable: false });
    expect(await readFile(options.logFile, 'utf8')).toContain('of yesterday');
  });

  it.each(['could not create any TCP/IP sockets', 'pre-existing shared memory block is still in use'])(
    'a start that fails with "%s" is retryable',
    async (complaint) => {
      const { cluster, options } = await fakeServer(`echo "[7] FATAL:  ${complaint}" >&2; exit 1`);
      await expect(startPostmaster(cluster, options)).rejects.toMatchObject({ retryable: true });
    },
  );

  it('a missing program is reported as one that cannot run here', async () => {
    const { cluster, options } = await fakeServer('');
    const starting = startPostmaster(cluster, { ...options, postgres: `${options.postgres}-missing` });
    await expect(starting).rejects.toThrow(/cannot run here \(ENOENT\)/);
  });

  it('a log beyond its size limit is truncated, so that it cannot fill the disk', async () => {
    const { cluster, options } = await fakeServer('exit 1');
    await writeFile(options.logFile, '');
    await truncate(options.logFile, 9 * 1024 * 1024);
    await startPostmaster(cluster, options).catch(() => undefined);
    expect((await stat(options.logFile)).size).toBe(0);
  });
});

describe('findPostmaster', () => {
  it('no server is found where none runs, and the stale file of a dead one is removed', async () => {
    const { cluster } = await fakeServer('');
    expect(await findPostmaster(cluster)).toBeUndefined();
    await writeFile(postmasterFilePath(cluster), `4194305\n${cluster}\n1\n5432\n\n\n\nready\n`);
    expect(await findPostmaster(cluster)).toBeUndefined();
    await expect(stat(postmasterFilePath(cluster))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('a stop without a running server does nothing', async () => {
    const { cluster } = await fakeServer('');
    await expect(stopPostmaster(cluster)).resolves.toBeUndefined();
  });
});
