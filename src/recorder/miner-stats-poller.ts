import type { Pool } from 'pg';
import { readActiveMiners } from '#postgres/queries/read-active-miners';
import { QUIET_AFTER_MICROS } from '#prometheus/stale-miners';
import type { PrometheusExporter } from '#prometheus/exporter';
import { startIntervalTask } from '#lifecycle/interval-task';
import { messageOf } from '#semconv/message-of';

/** How old what other processes committed may be when a scrape shows it. */
const REFRESH_MILLIS = 5000;

/** Where the miners are read, and who shows them. */
export interface MinerRefresh {
  readonly pool: Pool;
  readonly prometheus: Pick<PrometheusExporter, 'refresh'>;
}

/**
 * Brings the metrics of miners up to what is committed, by whomever.
 *
 * @throws what the database threw; the metrics keep what they had then
 */
export async function refreshMiners({ pool, prometheus }: MinerRefresh): Promise<void> {
  prometheus.refresh(await readActiveMiners(pool, { quietMicros: QUIET_AFTER_MICROS }));
}

/** How the metrics of miners are kept up to date while a process records. */
export interface MinerRefreshOptions extends MinerRefresh {
  /** 5,000 unless given. */
  readonly everyMillis?: number | undefined;
  readonly onProblem: (message: string) => void;
}

/**
 * Refreshes the metrics of miners time after time. While that fails they show what they showed; that it fails is told
 * once, until it has worked again.
 *
 * @returns the closer; a reading that is under way ends first
 */
export function startMinerRefresh(options: MinerRefreshOptions): () => Promise<void> {
  const { onProblem, everyMillis = REFRESH_MILLIS } = options;
  let isTold = false;
  return startIntervalTask({
    everyMillis,
    retryMillis: everyMillis,
    work: async () => {
      await refreshMiners(options);
      isTold = false;
    },
    onError: (error) => {
      if (isTold) return;
      isTold = true;
      const reason = messageOf(error);
      onProblem(
        `The metrics of miners could not be refreshed: ${reason}. They show what this process knows, and it is tried again.`,
      );
    },
  });
}
