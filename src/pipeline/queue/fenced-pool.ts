import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import { withinMillis } from '#lifecycle/within-millis';

/** How long transactions that are under way may take when the fence is closed, milliseconds. */
const RETURN_MILLIS = 1000;

/** A pool that can be closed to those who were given it, while its owner goes on to use it. */
export interface FencedPool {
  readonly pool: Pool;
  /**
   * From now on no question is answered any more. What was asked before is: resolves when all connections have come
   * back and those who held them have said what they did, or after a second.
   */
  readonly close: () => Promise<void>;
  /** Leaves the pool of the owner as it was. */
  readonly remove: () => void;
}

/**
 * Puts a fence around a pool, for steps that may have to be let go of.
 *
 * Behind a closed fence a step waits for ever instead of failing. So it neither commits, when its job may be another
 * worker's already, nor ends as a failure, which it is not: its span stays open.
 */
export function fencePool(pool: Pool): FencedPool {
  const held = new Set<PoolClient>();
  let isClosed = false;
  let onReturn = (): void => undefined;
  const connect = async (): Promise<PoolClient> => {
    const client = await pool.connect();
    held.add(client);
    return client;
  };
  const giveBack = (_error: Error | undefined, client: PoolClient): void => {
    if (held.delete(client) && held.size === 0) onReturn();
  };
  pool.on('release', giveBack);
  const close = async (): Promise<void> => {
    isClosed = true;
    if (held.size > 0)
      await withinMillis(RETURN_MILLIS, new Promise<void>((resolve) => (onReturn = resolve)));
    await nextTurn();
  };
  return {
    pool: withConnect(pool, { connect, isClosed: () => isClosed }),
    close,
    remove: () => void pool.off('release', giveBack),
  };
}

/** What a fence changes of a pool. */
interface Fence {
  readonly connect: () => Promise<PoolClient>;
  readonly isClosed: () => boolean;
}

const withConnect = (pool: Pool, { connect, isClosed }: Fence): Pool =>
  new Proxy(pool, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      const isQuestion = property === 'connect' || property === 'query';
      if (isQuestion && isClosed()) return () => new Promise<never>(() => undefined);
      return property === 'connect' ? connect : (value.bind(target) as unknown);
    },
  });
