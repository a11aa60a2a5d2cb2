import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import { withinMillis } from '#lifecycle/within-millis';

/** Grace for running transactions when the fence closes, milliseconds. */
const RETURN_MILLIS = 1000;

/** A pool that can be fenced off from its borrowers while its owner keeps using it. */
export interface FencedPool {
  readonly pool: Pool;
  /**
   * Later queries never resolve; earlier ones do. Resolves when all connections are released and their transactions
   * have ended, or after a second.
   */
  readonly close: () => Promise<void>;
  /** Restores the owner's pool. */
  readonly remove: () => void;
}

/**
 * Fences a pool after lease loss: later queries never resolve, so an orphaned step can neither commit nor fail.
 *
 * Another worker may already hold its job, so it must not commit; and it did not fail, so its span stays open.
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

/** The members of a pool that a fence overrides. */
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
