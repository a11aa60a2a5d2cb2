import { Socket } from 'node:net';
import type { Pool, PoolClient } from 'pg';
import { isError } from '#semconv/message-of';

/** Executes statements: a pool, or a client inside a transaction. */
export type Queryable = Pick<PoolClient, 'query'>;

/** Final statement of a transaction whose work succeeded. */
export type TransactionEnd = 'commit' | 'rollback';

/** Options of a transaction. */
export interface TransactionOptions<Result> {
  /** Final statement after successful work, possibly chosen by the result. Default `commit`. */
  readonly end?: TransactionEnd | ((result: Result) => TransactionEnd);
  /** Disables the timeouts of statements, of locks and of silence, and sets the isolation level to read committed. */
  readonly isLong?: boolean;
}

/**
 * Explicit isolation level: after a lock wait, the next statement must see the commit of the previous lock holder. The
 * server still ends a transaction whose client is gone, with its locks.
 */
const BEGIN_LONG =
  'begin isolation level read committed; set local statement_timeout = 0; set local lock_timeout = 0; ' +
  "set local idle_in_transaction_session_timeout = '5min'";

/**
 * Unit of work: runs `work` in one transaction on a connection of the pool, atomically.
 *
 * A connection whose rollback fails is destroyed instead of being returned to the pool.
 *
 * @throws the error of `work` or of the server, after a rollback
 */
export async function inTransaction<Result>(
  pool: Pool,
  work: (client: PoolClient) => Promise<Result>,
  { end = 'commit', isLong = false }: TransactionOptions<Result> = {},
): Promise<Result> {
  const client = await pool.connect();
  client.on('error', leaveToNextStatement);
  let broken: Error | undefined;
  try {
    await client.query(isLong ? BEGIN_LONG : 'begin');
    if (isLong) limitSilence(client, 0);
    const result = await work(client);
    await client.query(typeof end === 'function' ? end(result) : end);
    return result;
  } catch (error) {
    await client.query('rollback').catch((reason: unknown) => {
      broken = isError(reason) ? reason : new Error(String(reason));
    });
    throw error;
  } finally {
    client.off('error', leaveToNextStatement);
    client.release(broken);
  }
}

/** Conditional commit: commits when `work` returns true, rolls back when it returns false or throws. */
export const commitIfTrue = (pool: Pool, work: (client: Queryable) => Promise<boolean>): Promise<boolean> =>
  inTransaction(pool, work, { end: (isDone) => (isDone ? 'commit' : 'rollback') });

/** Sets how long the server of a connection may be silent until it is acquired again, milliseconds; 0 is for ever. */
export function limitSilence(client: Partial<Pick<PoolClient, 'connection'>>, millis: number): void {
  const stream = client.connection?.stream;
  if (stream instanceof Socket) stream.setTimeout(millis);
}

/** An `error` event without a listener ends the process; the next statement on the lost connection fails anyway. */
const leaveToNextStatement = (): void => undefined;
