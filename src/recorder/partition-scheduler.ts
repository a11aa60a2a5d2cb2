import type { Pool } from 'pg';
import { createPartitionsAhead, maintainPartitions, type Maintenance } from '#postgres/retention/retention';
import type { Retention } from '#semconv';
import { messageOf } from '#semconv/message-of';
import { startUntracedTask } from './untraced-task.ts';

const EVERY_MILLIS = 6 * 3_600_000;
const RETRY_MILLIS = 600_000;

/** Creates the current partitions and those needed next. @returns the names of the new ones */
export const preparePartitions = (pool: Pool): Promise<readonly string[]> =>
  createPartitionsAhead(pool, new Date());

/** How partitions are maintained while a process records. */
export interface PartitionMaintenanceOptions {
  readonly pool: Pool;
  readonly retention: Retention;
  /** Called after each round with what was dropped and what is kept. */
  readonly onMaintained: (maintenance: Maintenance) => void;
  readonly onProblem: (message: string) => void;
}

/**
 * Creates partitions ahead and drops expired ones, now and every six hours.
 *
 * @returns the closer; it waits for a running drop
 */
export function startPartitionMaintenance(options: PartitionMaintenanceOptions): () => Promise<void> {
  const { pool, retention, onMaintained, onProblem } = options;
  return startUntracedTask({
    everyMillis: EVERY_MILLIS,
    retryMillis: RETRY_MILLIS,
    work: async (signal) => {
      const maintenance = await maintainPartitions(pool, { now: new Date(), retention, signal });
      onMaintained(maintenance);
      const { postponed } = maintenance;
      if (postponed.length > 0) throw new Error(`${postponed.join(', ')} could not be locked in time`);
    },
    onError: (error) =>
      onProblem(
        `Partitions could not be created or dropped: ${messageOf(error)}. ` +
          `The next attempt follows in ${RETRY_MILLIS / 60_000} minutes.`,
      ),
  });
}
