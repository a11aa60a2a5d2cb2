import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import { withinMillis } from '#lifecycle/within-millis';

/** How long a closing fence waits for transactions under way, milliseconds. */
const RETURN_MILLIS = 1000;

/** A view of a pool that can be closed to its users while the owner keeps using the pool. */
export interface FencedPool {
  readonly pool: Pool;
  /**
   * Closes the fence: later queries never resolve. Resolves when the connections that are held have been released and
   * their holders have reacted, or after a second.
   */
  readonly close: () => Promise<void>;
  /** Detaches the listener from the owner's pool. */
  readonly remove: () => void;
}

/**
 * Fences a pool for steps that may outlast a stop: later queries never resolve, so an orphaned step can neither commit
 * nor fail.
 *
 * A commit would collide with the worker that has the job by then, and a failure would be recorded although the step
 * has not failed. The step's span stays open instead.
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
  const onRelease = (_error: Error | undefined, client: PoolClient): void => {
    if (held.delete(client) && held.size === 0) onReturn();
  };
  pool.on('release', onRelease);
  const close = async (): Promise<void> => {
    isClosed = true;
    if (held.size > 0)
      await withinMillis(RETURN_MILLIS, new Promise<void>((resolve) => (onReturn = resolve)));
    await nextTurn();
  };
  return {
    pool: withConnect(pool, { connect, isClosed: () => isClosed }),
    close,
    remove: () => void pool.off('release', onRelease),
  };
}

/** The parts of a pool that a fence replaces. */
interface Fence {
  readonly connect: () => Promise<PoolClient>;
  readonly isClosed: () => boolean;
}

const withConnect = (pool: Pool, { connect, isClosed }: Fence): Pool =>
  new Proxy(pool, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      const isQuery = property === 'connect' || property === 'query';
      if (isQuery && isClosed()) return () => new Promise<never>(() => undefined);
      return property === 'connect' ? connect : (value.bind(target) as unknown);
    },
  });
