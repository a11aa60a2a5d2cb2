import type { Pool, PoolClient, QueryConfig } from 'pg';

/** The statements by which the queue says that a job was done or went wrong. */
const CLOSING_STATEMENTS = /^(?:complete|fail)_job/;

/**
 * A pool for the queue, in which a job that cannot be closed is no error.
 *
 * The queue closes jobs without waiting for it: a lost connection would be an unhandled rejection and end the process.
 * A job that stays open is freed and delivered again, see `freeForgottenJobs`, and finds that its work is done.
 *
 * Connections are made with the first statement, so that a failure to connect is known to belong to it.
 */
export function createForgivingPool(pool: Pool, onProblem: (message: string) => void): Pool {
  return new Proxy(pool, {
    get(target, property) {
      if (property === 'connect') return connectTo(target, onProblem);
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

type ConnectArguments = [] | Parameters<Pool['connect']>;

/** The queue listens on a connection that it gets by callback; that one it looks after itself. */
const connectTo =
  (pool: Pool, onProblem: (message: string) => void) =>
  (...args: ConnectArguments): unknown =>
    args.length === 0 ? Promise.resolve(lazyClient(pool, onProblem)) : pool.connect(...args);

/** As much of a client as the queue uses, connected by its first statement. */
function lazyClient(pool: Pool, onProblem: (message: string) => void): Pick<PoolClient, 'query' | 'release'> {
  let client: PoolClient | undefined;
  const query = async (statement: QueryConfig, values?: unknown[]): Promise<unknown> => {
    try {
      client ??= await pool.connect();
      return await client.query(statement, values);
    } catch (error) {
      if (!isClosing(statement)) throw error;
      onProblem(`A job could not be closed and is delivered again: ${String(error)}`);
      return { rows: [], rowCount: 0 };
    }
  };
  return { query: query as PoolClient['query'], release: () => client?.release() };
}

/** A plain text comes without a name. */
const isClosing = (statement: Partial<QueryConfig>): boolean => CLOSING_STATEMENTS.test(statement.name ?? '');
