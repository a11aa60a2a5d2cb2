import type { Pool, PoolClient, QueryConfig } from 'pg';

/** Names of the prepared statements by which graphile-worker completes or fails a job. */
const CLOSING_STATEMENTS = /^(?:complete|fail)_job/;

/**
 * Wraps a pool for graphile-worker: closing a job never rejects.
 *
 * The queue closes jobs without awaiting the statement, so a lost connection would be an unhandled rejection and end
 * the process. A job that stays open is freed and delivered again, see `freeForgottenJobs`; its handler then finds the
 * transition made.
 *
 * Connections are lazy, made with the first statement, so that a failure to connect belongs to a known statement.
 */
export function createForgivingPool(
  pool: Pool,
  onProblem: (message: string) => void,
  { onClosing = () => undefined }: ForgivingPoolOptions = {},
): Pool {
  return new Proxy(pool, {
    get(target, property) {
      if (property === 'connect') return connectTo(target, { onProblem, onClosing });
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** Optional callbacks. */
export interface ForgivingPoolOptions {
  /** Called with the promise of each closing of a job, which resolves whether or not the closing succeeded. */
  readonly onClosing?: (closing: Promise<unknown>) => void;
}

/** All callbacks of the pool. */
interface Listeners extends Required<ForgivingPoolOptions> {
  readonly onProblem: (message: string) => void;
}

type ConnectArguments = [] | Parameters<Pool['connect']>;

/** With a callback the queue asks for its notification connection, whose errors it handles itself: passed through. */
const connectTo =
  (pool: Pool, listeners: Listeners) =>
  (...args: ConnectArguments): unknown =>
    args.length === 0 ? Promise.resolve(lazyClient(pool, listeners)) : pool.connect(...args);

/** The subset of a client that the queue uses, connected by its first statement. */
function lazyClient(pool: Pool, { onProblem, onClosing }: Listeners): Pick<PoolClient, 'query' | 'release'> {
  let client: PoolClient | undefined;
  const run = async (statement: QueryConfig, values?: unknown[]): Promise<unknown> => {
    client ??= await pool.connect();
    return client.query(statement, values);
  };
  const close = (statement: QueryConfig, values?: unknown[]): Promise<unknown> =>
    run(statement, values).catch((error: unknown) => {
      onProblem(`A job could not be closed and is delivered again: ${String(error)}`);
      return { rows: [], rowCount: 0 };
    });
  const query = (statement: QueryConfig, values?: unknown[]): Promise<unknown> => {
    if (!isClosing(statement)) return run(statement, values);
    const closing = close(statement, values);
    onClosing(closing);
    return closing;
  };
  return { query: query as PoolClient['query'], release: () => client?.release() };
}

/** A statement given as plain text has no name, and closes no job. */
const isClosing = (statement: Partial<QueryConfig>): boolean => CLOSING_STATEMENTS.test(statement.name ?? '');
