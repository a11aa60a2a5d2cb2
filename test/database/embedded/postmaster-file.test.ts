import { writeFile } from 'node:fs/promises';

import { describe, expect, it } from 'vitest';

import {
  isPostmasterAlive,
  parsePostmasterFile,
  postmasterFilePath,
  readPostmasterFile,
} from '#database/embedded/postmaster-file';
import { temporaryFolder } from '#test/support/temporary-folder';

const READY = [
  '7936',
  '/data/cluster',
  '1795635164',
  '42371',
  '',
  '127.0.0.1',
  '  5374223   32769',
  'ready   ',
];

describe('postmaster.pid', () => {
  it('the file is parsed to PID, port and status of the server', () => {
    expect(parsePostmasterFile(`${READY.join('\n')}\n`)).toEqual({
      pid: 7936,
      port: 42_371,
      status: 'ready',
    });
  });

  it('a file that the server is still writing has no port and no status', () => {
    expect(parsePostmasterFile('7936\n')).toEqual({ pid: 7936, port: 0, status: '' });
  });

  it.each(['', 'nonsense', '-7936', '0'])('a file without a PID (%s) is undefined', (text) => {
    expect(parsePostmasterFile(text)).toBeUndefined();
  });

  it('the file is read from the cluster, and undefined where no server runs', async () => {
    const folder = await temporaryFolder();
    expect(await readPostmasterFile(folder)).toBeUndefined();
    await writeFile(postmasterFilePath(folder), READY.join('\n'));
    expect(await readPostmasterFile(folder)).toMatchObject({ pid: 7936 });
  });

  it('the file of a dead process is not a running server', async () => {
    expect(await isPostmasterAlive({ pid: 4_194_305, port: 1, status: 'ready' }, '/data/cluster')).toBe(
      false,
    );
  });

  it.runIf(process.platform === 'linux')(
    'a PID reused by another program is not a running server, so that a reboot does not block the start',
    async () => {
      expect(await isPostmasterAlive({ pid: process.pid, port: 1, status: 'ready' }, '/data/cluster')).toBe(
        false,
      );
    },
  );
});
