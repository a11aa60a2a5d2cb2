import type { Pool, PoolClient } from 'pg';

/** What runs statements: a pool, or a client inside a transaction. */
export type Queryable = Pick<PoolClient, 'query'>;

/**
 * Runs `work` in one transaction. It is kept when `work` returns true and rolled back when it returns false or throws.
 *
 * A connection that failed while rolling back is thrown away.
 */
export async function inTransaction(
  pool: Pool,
  work: (client: Queryable) => Promise<boolean>,
): Promise<boolean> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('begin');
    const kept = await work(client);
    await client.query(kept ? 'commit' : 'rollback');
    return kept;
  } catch (error) {
    await client.query('rollback').catch((reason: unknown) => {
      broken = reason instanceof Error ? reason : new Error(String(reason));
    });
    throw error;
  } finally {
    client.release(broken);
  }
}
