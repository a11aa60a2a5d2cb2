import { describe, expect, it } from 'vitest';

import { findServerAccount, parseAccounts } from '#database/embedded/os-user';

describe('a passwd file', () => {
  it('a passwd file gives names and numbers, without root and without broken lines', () => {
    const text = [
      'root:x:0:0:root:/root:/bin/bash',
      'postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash',
      '# comment',
      '',
      'nobody:x:65534:65534::/:/sbin/nologin',
      ':x:5:5::/:',
    ].join('\n');
    expect(parseAccounts(text)).toEqual([
      { name: 'postgres', uid: 101, gid: 104 },
      { name: 'nobody', uid: 65_534, gid: 65_534 },
    ]);
  });
});

describe('the account of the server', () => {
  it('the account of the server is never root, which PostgreSQL refuses, and our own when we are not root', async () => {
    const account = await findServerAccount();
    if (process.getuid?.() === 0) expect(account?.uid).toBeGreaterThan(0);
    else expect(account).toBeUndefined();
  });
});
