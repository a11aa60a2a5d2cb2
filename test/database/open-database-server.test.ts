import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { openDatabaseServer } from '#database/open-database-server';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('the server that is opened', () => {
  it('the server that is opened is the given one, used as it is and never stopped by us', async () => {
    const databaseUrl = 'postgres://anna:s3cret@db.example/weather';
    const server = await openDatabaseServer({ databaseUrl, dataDirectory: '/never/made' });
    expect(server).toMatchObject({ connectionString: databaseUrl, kind: 'given' });
    await expect(server.stop()).resolves.toBeUndefined();
  });

  it('the server that is opened is never an embedded one when the given address is broken: rows would end up in two places', async () => {
    const opening = openDatabaseServer({ databaseUrl: 'db.example', dataDirectory: '/never/made' });
    await expect(opening).rejects.toThrow(/not a PostgreSQL URL/);
  });

  it.each([undefined, ''])(
    'the server that is opened is an embedded one when nothing is given (%s)',
    async (databaseUrl) => {
      const folder = await temporaryFolder();
      await writeFile(join(folder, 'postgres.json'), 'broken', { mode: 0o600 });
      await expect(openDatabaseServer({ databaseUrl, dataDirectory: folder })).rejects.toThrow(
        /postgres\.json in the data directory cannot be read/,
      );
    },
  );

  it('the server that is opened is neither when the data directory cannot be made: the error names both ways and no path', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'file'), '');
    const opening = openDatabaseServer({ dataDirectory: join(folder, 'file', 'data') });
    await expect(opening).rejects.toThrow(/DATABASE_URL is not set.*\(ENOTDIR\)\. Set DATABASE_URL/);
    await expect(opening).rejects.not.toThrow(folder);
  });
});
