import type { Pool } from 'pg';
import { readActiveMiners } from '#postgres/queries/read-active-miners';
import { QUIET_AFTER_MICROS } from '#prometheus/stale-miners';
import type { PrometheusExporter } from '#prometheus/exporter';
import { messageOf } from '#semconv/message-of';
import { startUntracedTask } from './untraced-task.ts';

/** Staleness bound: a scrape shows what other processes committed at most this long ago. */
const REFRESH_MILLIS = 5000;

/** Where the miners are read, and the exporter whose series they refresh. */
export interface MinerStatsTarget {
  readonly pool: Pool;
  readonly prometheus: Pick<PrometheusExporter, 'refresh'>;
}

/**
 * Refreshes the metrics of miners from the tables, whichever process committed the rows.
 *
 * @throws what the database threw; the metrics keep their values then
 */
export async function refreshMiners({ pool, prometheus }: MinerStatsTarget): Promise<void> {
  prometheus.refresh(await readActiveMiners(pool, { quietMicros: QUIET_AFTER_MICROS }));
}

/** How the metrics of miners are polled while a process records. */
export interface MinerStatsPollerOptions extends MinerStatsTarget {
  /** 5,000 unless given. */
  readonly everyMillis?: number | undefined;
  readonly onProblem: (message: string) => void;
}

/**
 * Polls the metrics of miners. While a poll fails they keep their last values; the first failure of a series is
 * reported, and the next report needs a success in between.
 *
 * @returns the closer; it waits for a running poll
 */
export function startMinerStatsPoller(options: MinerStatsPollerOptions): () => Promise<void> {
  const { onProblem, everyMillis = REFRESH_MILLIS } = options;
  let hasWarned = false;
  return startUntracedTask({
    everyMillis,
    retryMillis: everyMillis,
    work: async () => {
      await refreshMiners(options);
      hasWarned = false;
    },
    onError: (error) => {
      if (hasWarned) return;
      hasWarned = true;
      const reason = messageOf(error);
      onProblem(
        `The metrics of miners could not be refreshed: ${reason}. They keep their last values until a retry succeeds.`,
      );
    },
  });
}
