import type { Pool, PoolClient } from 'pg';
import { withControlState } from './control-state-error.ts';

/** The result of work under a lock, or `busy` when another process holds the lock. */
export type Locked<Result> = { readonly kind: 'done'; readonly result: Result } | { readonly kind: 'busy' };

/** Namespaces of the two-key advisory locks: "gfs" and "run" in ASCII. */
export const GFS_LOCK_CLASS = 0x676673;
export const RUN_LOCK_CLASS = 0x72756e;

/** A lock: its namespace, and any text within it. */
export type LockName = readonly [lockClass: number, name: string];

/**
 * Does work under a session-level advisory lock, without waiting for it: `busy` when another process holds the lock.
 * Lock and unlock use one connection, so the lock of a process that dies is released with its connection.
 *
 * @throws ControlStateError when the lock cannot be requested
 */
export async function tryWithAdvisoryLock<Result>(
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
    // When the unlock failed, the connection is closed: that releases the lock too.
    client.release(isHeld && !(await tryUnlock(client, lock)));
  }
}

async function tryLock(client: Pick<PoolClient, 'query'>, lock: LockName): Promise<boolean> {
  const { rows } = await client.query<{ held: boolean }>(
    'select pg_try_advisory_lock($1, hashtext($2)) as held',
    [...lock],
  );
  return rows[0]?.held === true;
}

/** Does work under a session-level advisory lock, waiting until it is free. */
export async function withAdvisoryLock<Result>(
  pool: Pool,
  lock: LockName,
  work: () => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect();
  let isReturned = false;
  try {
    await client.query('select pg_advisory_lock($1, hashtext($2))', [...lock]);
    const result = await work();
    isReturned = await tryUnlock(client, lock);
    return result;
  } finally {
    client.release(!isReturned);
  }
}

async function tryUnlock(client: Pick<PoolClient, 'query'>, lock: LockName): Promise<boolean> {
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
