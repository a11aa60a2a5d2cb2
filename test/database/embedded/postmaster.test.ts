import { chmod, mkdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { findPostmaster, startPostmaster, stopPostmaster } from '#database/embedded/postmaster';
import { postmasterFilePath } from '#database/embedded/postmaster-file';
import { temporaryFolder } from '#test/support/temporary-folder';

/** A cluster and, in the place of postgres, a shell script that knows its folder as `$2`. */
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

/** Announces itself as PostgreSQL does, first starting and then ready, and ends on SIGINT or SIGQUIT. */
const OBEDIENT = `
announce() { printf '%s\\n%s\\n1\\n5432\\n\\n127.0.0.1\\n\\n%s\\n' "$$" "$2" "$1" > "$2/postmaster.pid"; }
trap 'rm "$2/postmaster.pid"; exit 0' INT QUIT
announce starting "$2"
echo "$*" > "$2/arguments"
announce ready "$2"
while :; do sleep 0.01; done`;

describe('starting a server', () => {
  it('starting a server waits until it is ready, and stopping waits until it is gone', async () => {
    const { cluster, options } = await fakeServer(OBEDIENT);
    await startPostmaster(cluster, options);
    expect(await findPostmaster(cluster)).toMatchObject({ port: 5432, status: 'ready' });
    await stopPostmaster(cluster);
    expect(await findPostmaster(cluster)).toBeUndefined();
  });

  it('starting a server opens the loopback alone, on the given port; settings of the caller win', async () => {
    const { cluster, options } = await fakeServer(OBEDIENT);
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

  it('starting a server that ends at once tells the last grave line of this start, and that waiting will not help', async () => {
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
    'starting a server that fails because of "%s" may be tried again',
    async (complaint) => {
      const { cluster, options } = await fakeServer(`echo "[7] FATAL:  ${complaint}" >&2; exit 1`);
      await expect(startPostmaster(cluster, options)).rejects.toMatchObject({ retryable: true });
    },
  );

  it('starting a server whose program is missing says that it cannot run here', async () => {
    const { cluster, options } = await fakeServer('');
    const starting = startPostmaster(cluster, { ...options, postgres: `${options.postgres}-missing` });
    await expect(starting).rejects.toThrow(/cannot run here \(ENOENT\)/);
  });

  it('starting a server empties a log that has grown too long, so that it cannot fill the disk', async () => {
    const { cluster, options } = await fakeServer('exit 1');
    await writeFile(options.logFile, '');
    await truncate(options.logFile, 9 * 1024 * 1024);
    await startPostmaster(cluster, options).catch(() => undefined);
    expect((await stat(options.logFile)).size).toBe(0);
  });
});

describe('looking for a server', () => {
  it('looking for a server finds none where none was, and removes the file of a dead one', async () => {
    const { cluster } = await fakeServer('');
    expect(await findPostmaster(cluster)).toBeUndefined();
    await writeFile(postmasterFilePath(cluster), `4194305\n${cluster}\n1\n5432\n\n\n\nready\n`);
    expect(await findPostmaster(cluster)).toBeUndefined();
    await expect(stat(postmasterFilePath(cluster))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('looking for a server stopping where none runs does nothing', async () => {
    const { cluster } = await fakeServer('');
    await expect(stopPostmaster(cluster)).resolves.toBeUndefined();
  });
});
