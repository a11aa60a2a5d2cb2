import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

import { CategorizedError } from '#semconv/error-categories';

/** The unprivileged account under which PostgreSQL runs, because it refuses to run as root. */
export interface OsUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Accounts of most machines, in order of preference. */
const USUAL_ACCOUNTS = ['postgres', 'nobody'];
/** The account that is created where none of the usual ones exists. */
const OWN_ACCOUNT = 'barograph';

/**
 * Finds the account for the server; undefined when this process is not root: the server runs as this user then.
 *
 * @throws CategorizedError when root finds no account and cannot create one.
 */
export async function findServerAccount(): Promise<OsUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const known = await readAccount([...USUAL_ACCOUNTS, OWN_ACCOUNT]);
  if (known !== undefined) return known;
  return makeAccount();
}

async function makeAccount(): Promise<OsUser> {
  const cause = await promisify(execFile)('useradd', ['--system', '--user-group', OWN_ACCOUNT]).catch(
    (error: unknown) => error,
  );
  const made = await readAccount([OWN_ACCOUNT]);
  if (made !== undefined) return made;
  throw new CategorizedError(
    'validator_internal',
    'PostgreSQL refuses to run as root, this machine has no account postgres or nobody, and creating one failed. ' +
      'Create one (useradd --system postgres), run as an ordinary user, or set DATABASE_URL.',
    { cause },
  );
}

/** The first of the named accounts that exists. */
async function readAccount(names: readonly string[]): Promise<OsUser | undefined> {
  const accounts = parseAccounts(await readFile('/etc/passwd', 'utf8').catch(() => ''));
  return names.map((name) => accounts.find((account) => account.name === name)).find(Boolean);
}

/** Reads the lines `name:password:uid:gid:…` of a passwd file; skips root and malformed lines. */
export function parseAccounts(passwd: string): OsUser[] {
  return passwd
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter(({ name, uid, gid }) => name !== '' && uid > 0 && gid >= 0);
}
