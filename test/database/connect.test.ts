import { getEventListeners, once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { connectDatabase, createDatabasePool, requireServerVersion } from '#database/connect';
import { inTransaction } from '#database/transaction';
import { findFreePort } from '#database/embedded/free-port';
import { CategorizedError } from '#semconv/error-categories';
import { openBreakableProxy } from '../end-to-end/support/breakable-proxy.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ isEmpty: true });
});
afterAll(async () => database.drop());

/** The URL of the test database, changed. */
function changed(change: (url: URL) => void): string {
  const url = new URL(database.connectionString);
  change(url);
  return url.href;
}

/** The single row of a query, on a separate pool. */
async function one<T>(url: string, sql: string, options = {}): Promise<T> {
  const pool = await connectDatabase(url, options);
  try {
    return (await pool.query(sql)).rows[0] as T;
  } finally {
    await pool.end();
  }
}

/** The error of a failing connection; a successful connection fails the test. */
async function connectionErrorOf(url: string): Promise<CategorizedError> {
  const result = await connectDatabase(url, { connectTimeoutMillis: 2000 }).catch((error: unknown) => error);
  expect(result).toBeInstanceOf(CategorizedError);
  return result as CategorizedError;
}

describe('database session', () => {
  it('a session has the time zone UTC whatever server and URL set, so that dates do not shift', async () => {
    const url = changed((u) => u.searchParams.set('options', '-c TimeZone=Asia/Tokyo -c work_mem=5MB'));
    const row = await one(
      url,
      `select current_setting('TimeZone') as zone, current_setting('work_mem') as memory`,
    );
    expect(row).toEqual({ zone: 'UTC', memory: '5MB' });
  });

  it('a session has the name of the program, so that an operator can identify the connection', async () => {
    const sql = `select current_setting('application_name') as name`;
    expect(await one(database.connectionString, sql)).toEqual({ name: 'barograph' });
    expect(await one(database.connectionString, sql, { applicationName: 'worker-3' })).toEqual({
      name: 'worker-3',
    });
  });

  it('a statement that exceeds its timeout is cancelled by the server', async () => {
    const pool = createDatabasePool(database.connectionString, { statementTimeoutMillis: 20 });
    await expect(pool.query('select pg_sleep(10)')).rejects.toMatchObject({ code: '57014' });
    await pool.end();
  });

  it('a timestamptz is read as a Date, and an int8 as a number', async () => {
    const row = await one(
      database.connectionString,
      `select '2026-01-02T03:04:05Z'::timestamptz as t, 7::int8 as n`,
    );
    expect(row).toEqual({ t: new Date('2026-01-02T03:04:05Z'), n: 7 });
  });

  it('null is read as null, and the largest exact int8 exactly', async () => {
    const row = await one(
      database.connectionString,
      'select null::int8 as none, 9007199254740991::int8 as most',
    );
    expect(row).toEqual({ none: null, most: Number.MAX_SAFE_INTEGER });
  });

  it('an int8 that a number cannot represent is an error, never rounded', async () => {
    await expect(one(database.connectionString, 'select 9007199254740993::int8 as n')).rejects.toThrow(
      /9007199254740993.*Allowed/,
    );
  });
});

describe('silent database', () => {
  it('a connection whose server is silent for longer than the limit is broken off, and the next one is another', async () => {
    const proxy = await openBreakableProxy(database.connectionString);
    const pool = createDatabasePool(proxy.url, { silenceTimeoutMillis: 300, maxConnections: 1 });
    await pool.query('select');
    proxy.freeze();
    await expect(pool.query('select')).rejects.toThrow('the database did not answer within 300 ms');
    proxy.thaw();
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await pool.end();
    await proxy.cut();
  });

  it('a long transaction may take longer than the limit of silence, which applies again afterwards', async () => {
    const pool = createDatabasePool(database.connectionString, {
      silenceTimeoutMillis: 200,
      maxConnections: 1,
    });
    await inTransaction(pool, (client) => client.query('select pg_sleep(0.5)'), { isLong: true });
    await expect(pool.query('select pg_sleep(10)')).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    await pool.end();
  });

  it('the server ends a transaction whose client is silent for as long, so that its locks do not hold up the retry', async () => {
    const sql = `select current_setting('idle_in_transaction_session_timeout') as limit`;
    expect(await one(database.connectionString, sql, { silenceTimeoutMillis: 30_000 })).toEqual({
      limit: '30s',
    });
    expect(await one(database.connectionString, sql)).toEqual({ limit: '0' });
  });

  it('a signal breaks off every connection at once: that of a statement, one being opened, and later ones', async () => {
    const proxy = await openBreakableProxy(database.connectionString);
    const controller = new AbortController();
    const problems: Error[] = [];
    const pool = createDatabasePool(proxy.url, {
      signal: controller.signal,
      onIdleError: (error) => problems.push(error),
    });
    const [held, idle] = [await pool.connect(), await pool.connect()];
    held.on('error', () => undefined);
    const asking = held.query('select pg_sleep(60)');
    proxy.freeze();
    const opening = pool.connect();
    idle.release();
    const outcomes = Promise.allSettled([asking, opening]);
    controller.abort();
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    held.release(true);
    await expect(pool.connect()).rejects.toThrow('the database is closed');
    expect(problems).toEqual([]);
    await pool.end();
    await proxy.cut();
  });

  it('a signal keeps no connection that is closed, however many a recorder opens in its life', async () => {
    const { signal } = new AbortController();
    const pool = createDatabasePool(database.connectionString, { signal });
    for (let round = 0; round < 3; round += 1) {
      const client = await pool.connect();
      const closed = once(client, 'end');
      expect(getEventListeners(signal, 'abort')).toHaveLength(1);
      client.release(true);
      await closed;
    }
    await pool.end();
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

describe('idle connection', () => {
  it('a terminated idle connection is reported and replaced, and the process continues', async () => {
    let report: (error: Error) => void = () => undefined;
    const broken = new Promise<Error>((resolve) => (report = resolve));
    const pool = createDatabasePool(database.connectionString, {
      maxConnections: 1,
      onIdleError: (error) => report(error),
    });
    const { rows } = await pool.query<{ pid: number }>('select pg_backend_pid() as pid');
    await database.pool.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
    expect((await broken).message).toMatch(/terminat/);
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await pool.end();
  });
});

describe('connectDatabase', () => {
  it('a refused connection names host, port and database, is retryable and hides the password', async () => {
    const port = await findFreePort();
    const error = await connectionErrorOf(`postgres://anna:s3cret@127.0.0.1:${port}/weather`);
    expect(error.message).toContain(`127.0.0.1:${port}/weather refused the connection`);
    expect(error.message).not.toContain('s3cret');
    expect(error.retryable).toBe(true);
  });

  it('a wrong password is reported without the password', async () => {
    const error = await connectionErrorOf(changed((url) => (url.password = 'wr0ng-one')));
    expect(error.message).toContain('refused the password');
    expect(error.message).not.toContain('wr0ng-one');
  });

  it('an absent database is reported by name', async () => {
    const error = await connectionErrorOf(changed((url) => (url.pathname = '/no_such_database')));
    expect(error.message).toMatch(/\/no_such_database has no such database/);
  });

  it('a server without TLS is reported when TLS is requested', async () => {
    const error = await connectionErrorOf(changed((url) => url.searchParams.set('sslmode', 'verify-full')));
    expect(error.message).toContain('does not support TLS');
  });

  it('a server that is too old is reported with both versions', () => {
    expect(() => requireServerVersion(140_012, 'db:5432/weather')).toThrow(
      /db:5432\/weather is PostgreSQL 14\.12\. Allowed: 15 or newer/,
    );
    expect(() => requireServerVersion(150_000, 'db:5432/weather')).not.toThrow();
  });

  it('a connection string that is not a URL is a TypeError', async () => {
    expect(() => createDatabasePool('localhost')).toThrow(TypeError);
    await expect(connectDatabase('localhost')).rejects.toThrow(TypeError);
  });
});
