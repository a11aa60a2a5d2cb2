import type { Pool, PoolClient, QueryConfig } from 'pg';

/** The statements by which the queue completes or fails a job. */
const CLOSING_STATEMENTS = /^(?:complete|fail)_job/;

/**
 * Decorates a pool for the queue: a job that cannot be completed is no error.
 *
 * The queue completes jobs without awaiting it: a lost connection would be an unhandled rejection and end the process.
 * A job that stays open is freed and delivered again (`freeForgottenJobs`), and finds that its work is done.
 *
 * Connects lazily with the first statement, so that a failure to connect is attributed to that statement.
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

/** Observers of the pool. */
export interface ForgivingPoolOptions {
  /** Called with each completion of a job; the promise resolves whether it succeeded or not. */
  readonly onClosing?: (closing: Promise<unknown>) => void;
}

/** Observers, and the pool that is decorated. */
interface Listeners extends Required<ForgivingPoolOptions> {
  readonly onProblem: (message: string) => void;
}

type ConnectArguments = [] | Parameters<Pool['connect']>;

/** The queue listens on a connection that it gets by callback; that one it looks after itself. */
const connectTo =
  (pool: Pool, listeners: Listeners) =>
  (...args: ConnectArguments): unknown =>
    args.length === 0 ? Promise.resolve(lazyClient(pool, listeners)) : pool.connect(...args);

/** As much of a client as the queue uses, connected by its first statement. */
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

/** A plain text comes without a name. */
const isClosing = (statement: Partial<QueryConfig>): boolean => CLOSING_STATEMENTS.test(statement.name ?? '');
