import { describe, expect, it } from 'vitest';

import { findServerAccount, parseAccounts } from '#database/embedded/os-user';

describe('parseAccounts', () => {
  it('a passwd file is parsed to names and ids, without root and malformed lines', () => {
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

describe('findServerAccount', () => {
  it('the account is never root, which PostgreSQL rejects, and undefined for an ordinary user', async () => {
    const account = await findServerAccount();
    if (process.getuid?.() === 0) expect(account?.uid).toBeGreaterThan(0);
    else expect(account).toBeUndefined();
  });
});
