import type { Pool, PoolClient } from 'pg';

/**
 * Ends the session of a client between two of its statements, through another connection, and resolves when the client
 * has noticed.
 */
export async function loseConnection(client: PoolClient, other: Pool): Promise<void> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const gone = new Promise((resolve) => client.once('end', () => resolve(undefined)));
  await other.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
  await gone;
}
