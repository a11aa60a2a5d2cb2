import { basename, dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import { countOutdated, describeFailure, recomputeOutdated } from '#postgres/maintenance/recompute';
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
import { findHeldPartitions, LONGEST_RUN_DAYS } from '#postgres/retention/holding-runs';
import { readMinerStats } from '#postgres/queries/read-miner-stats';
import {
  differingSeries,
  mirrorsMiners,
  servedDatabases,
  type DifferingSeries,
} from '#prometheus/compare-series';
import { createPostgresExporter } from '#postgres/exporter';
import { toSink } from '#postgres/span-sink';
import { createPrometheusExporter } from '#prometheus/exporter';
import { readDatabaseId } from '#database/migration-status';
import { inTransaction } from '#database/transaction';
import { CategorizedError } from '#semconv';
import { commitLoss, replaySpool, type ReplayedSpool } from '#spool/recovery/replay-spool';
import { claimFolder, removeFolder, type SpoolFolder } from '#spool/spool-folder';

export {
  countOutdated,
  describeFailure,
  findHeldPartitions,
  LONGEST_RUN_DAYS,
  readUpMillis,
  recomputeOutdated,
  servedDatabases,
};
export { findSpools, inspectSpools, readSpool, type SpoolReading } from '#spool/recovery/inspect-spools';
export type { ReplayedSpool };
export type { FoldRequest, Rebuilt, Reconciled, SilentEmitter, SweepRequest };

/**
 * Recomputes the projections from the log in one transaction. Readers see the old rows until the commit; writers of
 * the validators wait for it.
 *
 * @throws CategorizedError when the validator or the run is not in the log
 */
export const rebuild = (pool: Pool, request: FoldRequest): Promise<Rebuilt> =>
  inTransaction(pool, (client) => rebuildFolds(client, request), { isLong: true });

/** A comparison takes the writers' locks and rolls back, so that it changes nothing. */
const READ_ONLY = { isLong: true, end: 'rollback' } as const;

/**
 * Compares the projections with the log and changes nothing. Writers of the validators wait for it.
 *
 * @throws CategorizedError when the validator or the run is not in the log
 */
export const reconcile = (pool: Pool, request: FoldRequest): Promise<Reconciled> =>
  inTransaction(pool, (client) => reconcileFolds(client, request), READ_ONLY);

/** What a running process serves, compared with `miner_stats`. */
export interface ReconciledMetrics {
  readonly url: string;
  /** Whether the process says that it shows this database; earlier versions say nothing of it. */
  readonly namesDatabase: boolean;
  readonly miners: number;
  readonly differences: readonly DifferingSeries[];
}

/** How long a difference may last before it counts. */
export interface ReconcileMetricsOptions {
  /** 7,000 unless given: a process shows what another one committed at its next refresh, 5 s later at most. */
  readonly graceMillis?: number;
}

const GRACE_MILLIS = 7000;
const PAUSE_MILLIS = 500;

/**
 * Compares the miners' series of a running process with `miner_stats`, under a lock that keeps writers from changing it.
 * Eventual consistency: the process has `graceMillis` to refresh.
 *
 * @throws CategorizedError when the URL does not serve Barograph's metrics, or serves those of another database
 */
export async function reconcileMetrics(
  pool: Pool,
  url: string,
  { graceMillis = GRACE_MILLIS }: ReconcileMetricsOptions = {},
): Promise<ReconciledMetrics> {
  const compare = async (client: PoolClient): Promise<ReconciledMetrics> => {
    await lockScopes(client, { validatorHotkey: null, runId: null });
    const miners = await readMinerStats(client);
    const expected = createPrometheusExporter({ recorderState: () => NO_RECORDER });
    expected.seed(miners);
    const { body } = await expected.render(undefined);
    const databaseId = await readDatabaseId(client);
    let served = await scrape(url, databaseId);
    let differences = differingSeries(served, body);
    for (let waited = 0; waited < graceMillis && differences.length > 0; waited += PAUSE_MILLIS) {
      await delay(PAUSE_MILLIS);
      served = await scrape(url, databaseId);
      differences = differingSeries(served, body);
    }
    return { url, namesDatabase: servedDatabases(served).length > 0, miners: miners.length, differences };
  };
  return inTransaction(pool, compare, READ_ONLY);
}

const NO_RECORDER = { queueLength: 0, oldestAgeMillis: null, dropped: {} };
const SCRAPE_TIMEOUT_MILLIS = 5000;

/** Each text is checked: several processes may take turns at one address. */
async function scrape(url: string, databaseId: string | null): Promise<string> {
  const response = await fetch(url, {
    headers: { accept: 'text/plain' },
    signal: AbortSignal.timeout(SCRAPE_TIMEOUT_MILLIS),
  }).catch((cause: unknown) => {
    throw new CategorizedError('connection', `No server responds at ${url}.`, { cause });
  });
  const text = await response.text();
  if (response.ok && mirrorsMiners(text)) {
    requireDatabase(url, servedDatabases(text), databaseId);
    return text;
  }
  throw new CategorizedError(
    'invalid_response',
    `${url} responds with status ${response.status}, but without Barograph's metrics of miners.`,
  );
}

function requireDatabase(url: string, served: readonly string[], databaseId: string | null): void {
  if (databaseId === null || served.every((id) => id === databaseId)) return;
  throw new CategorizedError(
    'invalid_response',
    `${url} serves the metrics of the database ${served.join(' and of ')}; compared is the database ${databaseId}. ` +
      'Name a process that records into that one alone, or set DATABASE_URL to the database of this process.',
  );
}

/** A process without a recent heartbeat, and what became of its steps. */
export interface SweptEmitter extends SilentEmitter {
  /** Null: a heartbeat arrived in between, and nothing was closed. Always 0 in a dry run. */
  readonly closed: number | null;
}

/** How a sweep is done. */
export interface SweepOptions {
  readonly isDryRun: boolean;
}

/**
 * Lease expiry: closes the running steps of processes whose last heartbeat is too old, one transaction a process.
 *
 * @throws CategorizedError when the named process is unknown
 */
export async function sweep(
  pool: Pool,
  request: SweepRequest,
  { isDryRun }: SweepOptions,
): Promise<readonly SweptEmitter[]> {
  const { instanceId, validatorHotkey } = request;
  if (instanceId !== null) await requireEmitter(pool, { instanceId, validatorHotkey });
  const swept: SweptEmitter[] = [];
  for (const emitter of await findSilentEmitters(pool, request)) {
    const closed = isDryRun
      ? 0
      : await inTransaction(pool, (client) => sweepEmitter(client, emitter, request), { isLong: true });
    swept.push({ ...emitter, closed });
  }
  return swept;
}

/** Delivers again what can be read of a spool. @throws CategorizedError when a process holds it that may live */
export const replaySpoolFolder = (pool: Pool, folder: string): Promise<ReplayedSpool> =>
  withSpoolLock(folder, () => replaySpool(folder, toSink(createPostgresExporter({ pool }))));

/**
 * Removes a spool. The numbers of its records stay missing in the books of its process.
 *
 * @returns whether the process is known, so that the loss is in its books
 * @throws CategorizedError when a process holds it that may live
 */
export const dropSpoolFolder = (pool: Pool, folder: string): Promise<boolean> =>
  withSpoolLock(folder, async (held) => {
    const isCounted = await commitLoss(folder, toSink(createPostgresExporter({ pool })));
    await removeFolder(held);
    return isCounted;
  });

async function withSpoolLock<Result>(
  folder: string,
  work: (held: SpoolFolder) => Promise<Result>,
): Promise<Result> {
  const held = await claimFolder(dirname(folder), basename(folder));
  if (held === null)
    throw new CategorizedError(
      'lock_busy',
      `A process holds ${folder} that lives, or that cannot be looked up from here (of another container or boot). ` +
        'Its records are delivered by itself, or two minutes after its end by any process that records.',
    );
  try {
    return await work(held);
  } finally {
    await held.lock.release();
  }
}
