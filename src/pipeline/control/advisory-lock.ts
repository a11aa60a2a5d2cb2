import type { Pool, PoolClient } from 'pg';
import { withControlState } from './control-state-error.ts';

/** What came of work that only one process may do at a time. */
export type Locked<Result> = { readonly kind: 'done'; readonly result: Result } | { readonly kind: 'busy' };

/** Namespaces of the two-key advisory locks: "gfs" and "run" in ASCII. */
export const GFS_LOCK_CLASS = 0x676673;
export const RUN_LOCK_CLASS = 0x72756e;

/** A lock: its namespace, and any text within it. */
export type LockName = readonly [lockClass: number, name: string];

/**
 * Does work under an advisory lock that is taken and given back on one connection. It never waits: when another holds
 * the lock it says so. A process that dies gives its lock back with its connection.
 */
export async function underSessionLock<Result>(
  pool: Pool,
  lock: LockName,
  work: () => Promise<Result>,
): Promise<Locked<Result>> {
  const client = await withControlState(() => pool.connect());
  let isHeld = false;
  try {
    isHeld = await withControlState(() => tryLock(client, lock));
    return isHeld ? { kind: 'done', result: await work() } : { kind: 'busy' };
  } finally {
    // Closing the session gives the lock back even where an unlock would fail.
    client.release(isHeld && !(await unlocked(client, lock)));
  }
}

async function tryLock(client: Pick<PoolClient, 'query'>, lock: LockName): Promise<boolean> {
  const { rows } = await client.query<{ held: boolean }>(
    'select pg_try_advisory_lock($1, hashtext($2)) as held',
    [...lock],
  );
  return rows[0]?.held === true;
}

/** Runs work under an advisory lock; waits for the present holder. */
export async function afterSessionLock<Result>(
  pool: Pool,
  lock: LockName,
  work: () => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect();
  let isReturned = false;
  try {
    await client.query('select pg_advisory_lock($1, hashtext($2))', [...lock]);
    const result = await work();
    isReturned = await unlocked(client, lock);
    return result;
  } finally {
    client.release(!isReturned);
  }
}

async function unlocked(client: Pick<PoolClient, 'query'>, lock: LockName): Promise<boolean> {
  try {
    const { rows } = await client.query<{ done: boolean }>(
      'select pg_advisory_unlock($1, hashtext($2)) as done',
      [...lock],
    );
    return rows[0]?.done === true;
  } catch {
    return false;
  }
}
