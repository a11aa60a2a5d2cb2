import type { Pool, PoolClient } from 'pg';

/**
 * Does the work in one transaction on a connection of the pool: all of it is committed, or nothing.
 *
 * @throws what the work or the server threw; the transaction is rolled back then
 */
export async function inTransaction<Result>(
  pool: Pool,
  work: (client: PoolClient) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect();
  client.on('error', leaveToNextStatement);
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    client.release();
    return result;
  } catch (error) {
    await abandon(client);
    throw error;
  } finally {
    client.off('error', leaveToNextStatement);
  }
}

/** A connection that is lost between two statements ends the process unless it is heard; the next statement fails. */
const leaveToNextStatement = (): void => undefined;

/** Rolls back; a connection that cannot even do that is not used again. */
async function abandon(client: PoolClient): Promise<void> {
  try {
    await client.query('rollback');
    client.release();
  } catch (error) {
    client.release(error instanceof Error ? error : new Error(String(error)));
  }
}
