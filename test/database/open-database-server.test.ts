import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { openDatabaseServer } from '#database/open-database-server';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('openDatabaseServer', () => {
  it('a given server is used as it is and never stopped', async () => {
    const databaseUrl = 'postgres://anna:s3cret@db.example/weather';
    const server = await openDatabaseServer({ databaseUrl, dataDirectory: '/never/made' });
    expect(server).toMatchObject({ connectionString: databaseUrl, kind: 'given' });
    await expect(server.stop()).resolves.toBeUndefined();
  });

  it('an invalid DATABASE_URL never falls back to an embedded server, which would split the rows', async () => {
    const opening = openDatabaseServer({ databaseUrl: 'db.example', dataDirectory: '/never/made' });
    await expect(opening).rejects.toThrow(/not a PostgreSQL URL/);
  });

  it.each([undefined, ''])(
    'an embedded server is started without a DATABASE_URL (%s)',
    async (databaseUrl) => {
      const folder = await temporaryFolder();
      await writeFile(join(folder, 'postgres.json'), 'broken', { mode: 0o600 });
      await expect(openDatabaseServer({ databaseUrl, dataDirectory: folder })).rejects.toThrow(
        /postgres\.json in the data directory cannot be read/,
      );
    },
  );

  it('a data directory that cannot be created is an error that names both sources and no path', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'file'), '');
    const opening = openDatabaseServer({ dataDirectory: join(folder, 'file', 'data') });
    await expect(opening).rejects.toThrow(/DATABASE_URL is not set.*\(ENOTDIR\)\. Set DATABASE_URL/);
    await expect(opening).rejects.not.toThrow(folder);
  });
});
