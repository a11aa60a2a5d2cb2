import type { Pool } from 'pg';
import type { Agent } from 'undici';
import type { StopReport } from './queue/stop-report.ts';

/** What a pipeline has opened. */
export interface OpenedParts {
  readonly pool: Pool;
  /** Whether the pool is closed too; a given one stays the caller's. */
  readonly ownsPool: boolean;
  readonly agent: Agent;
  /** Hears no more of the pool. */
  readonly leavePool: () => void;
}

/**
 * Closes what a pipeline has opened. Steps that were let go of still hold connections: those are not waited for, and
 * their errors stay heard.
 */
export async function closeParts(opened: OpenedParts, { left }: StopReport): Promise<void> {
  const { pool, ownsPool, agent, leavePool } = opened;
  if (left > 0) {
    await agent.destroy();
    if (ownsPool) pool.end().catch(() => undefined);
    return;
  }
  await agent.close();
  if (ownsPool) await pool.end();
  leavePool();
}
