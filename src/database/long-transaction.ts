import type { Pool, PoolClient } from 'pg';

/**
 * Runs `work` in one transaction whose statements may take as long as they need, and ends it as `end` says; a
 * transaction whose work failed is rolled back. A connection that failed while rolling back is thrown away.
 */
export async function longTransaction<Result>(
  pool: Pool,
  end: 'commit' | 'rollback',
  work: (client: PoolClient) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect();
  client.on('error', leaveToNextStatement);
  let broken: Error | undefined;
  try {
    await client.query('begin isolation level read committed');
    await client.query('set local statement_timeout = 0');
    await client.query('set local lock_timeout = 0');
    const result = await work(client);
    await client.query(end);
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

/** A connection that is lost between two statements ends the process unless it is heard; the next statement fails. */
const leaveToNextStatement = (): void => undefined;
