import type { Pool, PoolClient } from 'pg';

/**
 * Hears the errors of a pool's connections while the pipeline uses it: the queue asks for that, and an unheard one
 * would end the process.
 *
 * @returns what stops the hearing
 */
export function attachErrorHandlers(pool: Pool, onProblem: (message: string) => void): () => void {
  const hear = (error: Error): void => onProblem(error.message);
  const heard = new WeakSet<PoolClient>();
  const attachClientHandlers = (client: PoolClient): void => {
    if (heard.has(client)) return;
    heard.add(client);
    client.on('error', hear);
  };
  pool.on('error', hear);
  pool.on('connect', attachClientHandlers);
  // A caller's pool may have connections from before.
  pool.on('acquire', attachClientHandlers);
  return () => {
    pool.off('error', hear);
    pool.off('connect', attachClientHandlers);
    pool.off('acquire', attachClientHandlers);
  };
}
