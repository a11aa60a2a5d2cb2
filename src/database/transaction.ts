import type { Pool, PoolClient } from 'pg';

/** What runs statements: a pool, or a client inside a transaction. */
export type Queryable = Pick<PoolClient, 'query'>;

/** What ends a transaction whose work succeeded. */
export type TransactionEnd = 'commit' | 'rollback';

/** How a transaction differs from an ordinary one. */
export interface TransactionOptions<Result> {
  /** What ends it when its work succeeded, possibly by the result; `commit` unless given. */
  readonly end?: TransactionEnd | ((result: Result) => TransactionEnd);
  /** Switches the timeouts of statements and locks off, and reads what is committed before each statement. */
  readonly isLong?: boolean;
}

/** Explicit isolation: after a wait for a lock, a statement must see what the last holder committed. */
const BEGIN_LONG =
  'begin isolation level read committed; set local statement_timeout = 0; set local lock_timeout = 0';

/**
 * Unit of work: runs `work` in one transaction on a connection of the pool. All of it is committed, or nothing.
 *
 * A connection that cannot even roll back is destroyed instead of going back to the pool.
 *
 * @throws what `work` or the server threw; the transaction is rolled back then
 */
export async function inTransaction<Result>(
  pool: Pool,
  work: (client: PoolClient) => Promise<Result>,
  { end = 'commit', isLong = false }: TransactionOptions<Result> = {},
): Promise<Result> {
  const client = await pool.connect();
  client.on('error', leaveToNextStatement);
  let broken: Error | undefined;
  try {
    await client.query(isLong ? BEGIN_LONG : 'begin');
    const result = await work(client);
    await client.query(typeof end === 'function' ? end(result) : end);
    return result;
  } catch (error) {
    await client.query('rollback').catch((reason: unknown) => {
      broken = reason instanceof Error ? reason : new Error(String(reason));
    });
    throw error;
  } finally {
    client.off('error', leaveToNextStatement);
    client.release(broken);
  }
}

/** Conditional commit: commits when `work` returns true, rolls back when it returns false or throws. */
export const commitIfTrue = (pool: Pool, work: (client: Queryable) => Promise<boolean>): Promise<boolean> =>
  inTransaction(pool, work, { end: (isDone) => (isDone ? 'commit' : 'rollback') });

/** An `error` event without a listener ends the process; the next statement on the lost connection fails anyway. */
const leaveToNextStatement = (): void => undefined;
