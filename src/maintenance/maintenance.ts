import { setTimeout as delay } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import { rebuildFolds, type Rebuilt } from '#postgres/maintenance/rebuild';
import { lockScopes, type FoldRequest } from '#postgres/maintenance/rebuild-scope';
import { reconcileFolds, type Reconciled } from '#postgres/maintenance/reconcile';
import {
  findSilentEmitters,
  readUpMillis,
  requireEmitter,
  sweepEmitter,
  type SilentEmitter,
  type SweepRequest,
} from '#postgres/maintenance/sweep';
import { readMinerStats } from '#postgres/queries/read-miner-stats';
import { differingSeries, mirrorsMiners, type DifferingSeries } from '#prometheus/compare-series';
import { createPrometheusExporter } from '#prometheus/exporter';
import { inTransaction } from '#database/transaction';
import { CategorizedError } from '#semconv';

export { inspectSpools } from '#spool/recovery/inspect-spools';
export { readUpMillis };
export type { FoldRequest, Rebuilt, Reconciled, SilentEmitter, SweepRequest };

/**
 * Folds the log again. Readers see the old rows until the end; the writers of the validators wait for it.
 *
 * @throws CategorizedError when the validator or the run is not in the log
 */
export const rebuild = (pool: Pool, request: FoldRequest): Promise<Rebuilt> =>
  inTransaction(pool, (client) => rebuildFolds(client, request), { isLong: true });

/** Locks until a comparison is done, and leaves nothing behind. */
const LONG_READING = { isLong: true, end: 'rollback' } as const;

/**
 * Compares the folds with the log and changes nothing. The writers of the validators wait for it.
 *
 * @throws CategorizedError when the validator or the run is not in the log
 */
export const reconcile = (pool: Pool, request: FoldRequest): Promise<Reconciled> =>
  inTransaction(pool, (client) => reconcileFolds(client, request), LONG_READING);

/** What a running process serves, compared with `miner_stats`. */
export interface ReconciledMetrics {
  readonly url: string;
  readonly miners: number;
  readonly differences: readonly DifferingSeries[];
}

/** How long a difference is looked at until it counts. */
export interface ReconcileMetricsOptions {
  /** 7,000 unless given: a process shows what another one committed at its next refresh, 5 s later at most. */
  readonly patienceMillis?: number;
}

const PATIENCE_MILLIS = 7000;
const PAUSE_MILLIS = 500;

/**
 * Compares the series of miners that a running process serves with `miner_stats`, while no writer can change it.
 *
 * @throws CategorizedError when the address serves no metrics of ours
 */
export async function reconcileMetrics(
  pool: Pool,
  url: string,
  { patienceMillis = PATIENCE_MILLIS }: ReconcileMetricsOptions = {},
): Promise<ReconciledMetrics> {
  const compare = async (client: PoolClient): Promise<ReconciledMetrics> => {
    await lockScopes(client, { validatorHotkey: null, runId: null });
    const miners = await readMinerStats(client);
    const wanted = createPrometheusExporter({ recorderState: () => NO_RECORDER });
    wanted.seed(miners);
    const { body } = await wanted.render(undefined);
    let differences = differingSeries(await scrape(url), body);
    for (let waited = 0; waited < patienceMillis && differences.length > 0; waited += PAUSE_MILLIS) {
      await delay(PAUSE_MILLIS);
      differences = differingSeries(await scrape(url), body);
    }
    return { url, miners: miners.length, differences };
  };
  return inTransaction(pool, compare, LONG_READING);
}

const NO_RECORDER = { queueLength: 0, oldestAgeMillis: null, dropped: {} };
const SCRAPE_TIMEOUT_MILLIS = 5000;

async function scrape(url: string): Promise<string> {
  const response = await fetch(url, {
    headers: { accept: 'text/plain' },
    signal: AbortSignal.timeout(SCRAPE_TIMEOUT_MILLIS),
  }).catch((cause: unknown) => {
    throw new CategorizedError('connection', `Nothing answers at ${url}.`, { cause });
  });
  const text = await response.text();
  if (response.ok && mirrorsMiners(text)) return text;
  throw new CategorizedError(
    'invalid_response',
    `${url} answers with status ${response.status}, but not with the metrics of miners that Barograph serves.`,
  );
}

/** A silent process and what became of its steps. */
export interface SweptEmitter extends SilentEmitter {
  /** Null: it spoke up while it was looked at, and nothing was closed. Of a dry run, always 0. */
  readonly closed: number | null;
}

/** How a sweep goes about it. */
export interface SweepOptions {
  readonly isDryRun: boolean;
}

/**
 * Closes the running steps of processes whose heartbeat timed out, each process in a
 * transaction of its own.
 *
 * @throws CategorizedError when the named process is unknown
 */
export async function sweep(
  pool: Pool,
  request: SweepRequest,
  { isDryRun }: SweepOptions,
): Promise<readonly SweptEmitter[]> {
  if (request.instanceId !== null) await requireEmitter(pool, request.instanceId);
  const swept: SweptEmitter[] = [];
  for (const emitter of await findSilentEmitters(pool, request)) {
    const closed = isDryRun
      ? 0
      : await inTransaction(pool, (client) => sweepEmitter(client, emitter, request), { isLong: true });
    swept.push({ ...emitter, closed });
  }
  return swept;
}
