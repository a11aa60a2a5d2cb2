import type { Pool, PoolClient } from 'pg';

/**
 * Hears the errors of a pool's connections while the pipeline uses it: the queue asks for that, and an unheard one
 * would end the process.
 *
 * @returns what stops the hearing
 */
export function hearErrors(pool: Pool, onProblem: (message: string) => void): () => void {
  const hear = (error: Error): void => onProblem(error.message);
  const heard = new WeakSet<PoolClient>();
  const hearClient = (client: PoolClient): void => {
    if (heard.has(client)) return;
    heard.add(client);
    client.on('error', hear);
  };
  pool.on('error', hear);
  pool.on('connect', hearClient);
  // A caller's pool may have connections from before.
  pool.on('acquire', hearClient);
  return () => {
    pool.off('error', hear);
    pool.off('connect', hearClient);
    pool.off('acquire', hearClient);
  };
}
