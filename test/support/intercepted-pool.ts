import type { Pool, PoolClient } from 'pg';

/** Stands between a statement and the server: runs it, or does something else. */
export type Interceptor = (text: string, run: () => Promise<unknown>, client: PoolClient) => Promise<unknown>;

/** A pool whose connections show each statement to `intercept` before it is sent. Knows `connect` and nothing else. */
export function interceptPool(pool: Pool, intercept: Interceptor): Pool {
  const connect = async (): Promise<PoolClient> => {
    const client = await pool.connect();
    return new Proxy(client, {
      get(target, name) {
        if (name !== 'query') {
          const member: unknown = Reflect.get(target, name);
          return typeof member === 'function' ? (member.bind(target) as unknown) : member;
        }
        return (text: string, values?: unknown[]) =>
          intercept(text, () => target.query(text, values), target);
      },
    });
  };
  return { connect } as unknown as Pool;
}
