import type { Pool, PoolClient } from 'pg';

/**
 * Attaches `error` handlers to a pool and its connections while the pipeline uses it. graphile-worker requires them, and
 * an `error` event without a handler would end the process.
 *
 * @returns a function that detaches the handlers of the pool
 */
export function attachErrorHandlers(pool: Pool, onProblem: (message: string) => void): () => void {
  const report = (error: Error): void => onProblem(error.message);
  const attached = new WeakSet<PoolClient>();
  const attachClientHandlers = (client: PoolClient): void => {
    if (attached.has(client)) return;
    attached.add(client);
    client.on('error', report);
  };
  pool.on('error', report);
  pool.on('connect', attachClientHandlers);
  // A caller's pool may already have connections, which emit no `connect`.
  pool.on('acquire', attachClientHandlers);
  return () => {
    pool.off('error', report);
    pool.off('connect', attachClientHandlers);
    pool.off('acquire', attachClientHandlers);
  };
}
