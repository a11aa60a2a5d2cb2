import type { Config } from '#src/config';
import { openDatabaseServer } from '#database/open-database-server';
import { DAY1_LEAD_HOURS, ERA5_LEAD_HOURS } from '#semconv';
import { makeWorldInMemory } from '#world';
import type { Output } from '../terminal/output.ts';
import { runOnStores } from './run-on-stores.ts';

/** How a demonstration is run. */
export interface DemonstrationOptions {
  readonly miners: number;
  readonly seed: number;
  readonly config: Config;
  readonly output: Output;
  /** Interrupts the run. */
  readonly signal: AbortSignal;
}

const DAY_MILLIS = 86_400_000;

/**
 * Runs a validation of today's 00Z cycle on a generated world, with simulated miners.
 *
 * The database starts while the world is generated. Errors are ignored here: the recorder opens it again and reports
 * them.
 */
export async function demonstrate(options: DemonstrationOptions): ReturnType<typeof runOnStores> {
  const server = openDatabaseServer(options.config).catch(() => null);
  try {
    const initTime = new Date(Math.floor(Date.now() / DAY_MILLIS) * DAY_MILLIS);
    options.output.progress('generating a world to forecast …');
    const stores = await makeWorldInMemory({ initTime, seed: options.seed });
    return await runOnStores({
      ...options,
      stores,
      initTime,
      leads: ERA5_LEAD_HOURS,
      day1Lead: DAY1_LEAD_HOURS,
    });
  } finally {
    await (await server)?.stop();
  }
}
