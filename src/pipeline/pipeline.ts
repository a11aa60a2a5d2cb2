import type { Pool } from 'pg';
import type { Agent } from 'undici';
import { createDatabasePool } from '#database/connect';
import { once } from '#lifecycle/once';
import { DAY1_LEAD_HOURS, ERA5_LEAD_HOURS } from '#semconv';
import { abandonRuns, type Abandonment } from './runs/abandon-run.ts';
import { loadProgress, type RunProgress } from './control/progress.ts';
import type { StoreLocationsOfRun } from './control/run-row.ts';
import { type CreatedRun, createRun, ensureRun, type RequestedRun } from './runs/create-run.ts';
import { requireForecastCycle } from './runs/forecast-cycle.ts';
import { createForecastOpener } from './scores/forecast-opener.ts';
import { createEndRelay, replayEndsThen } from './step/span-end-outbox.ts';
import { type Miner, openForecastAgent } from './miners/index.ts';
import { DEFAULTS, type PipelineOptions } from './pipeline-options.ts';
import { fencePool } from './queue/fenced-pool.ts';
import { attachErrorHandlers } from './queue/attach-error-handlers.ts';
import { NOTHING_UNDER_WAY, type QueueDelivery, type StopReport } from './queue/worker-session.ts';
import { migrateQueue, type QueueWorker, startWorker } from './queue/worker.ts';
import { RETRY_POLICIES } from './step/retry-policy.ts';
import { requireLeads, requireMiners } from './runs/run-request.ts';
import { createCycleStores } from './scores/cycle-stores.ts';
import { acquireExclusive, assertNotExclusive, type ExclusiveLock } from './control/exclusive-worker.ts';
import type { SharedParts } from './step/step-job.ts';
import { TASK_HANDLERS } from './tasks.ts';
import { TRUTH_POLL_SECONDS } from './leads/truth-times.ts';
import { waitForRun } from './runs/wait-for-run.ts';

/** A request for a run. */
export interface RunRequest {
  readonly validatorHotkey: string;
  /** T0: a GFS cycle. */
  readonly initTime: Date;
  readonly miners: readonly Miner[];
  /** Leads scored against ERA5, hours; the production leads unless given. */
  readonly leads?: readonly number[];
  /** Lead scored on day one, hours. */
  readonly day1Lead?: number;
  /** Where the stores are, by role, for who verifies the scores; without users, queries and other secrets. */
  readonly storeLocations?: StoreLocationsOfRun;
}

/** The pipeline of one process. Any number of processes share one database. */
export interface Pipeline {
  /** Creates a run. @returns its id, or that of the active run when the validator has one for the cycle */
  createRun(request: RunRequest): Promise<number>;
  /** Creates a run unless the validator has one for the cycle, active or over. Idempotent. */
  ensureRun(request: RunRequest): Promise<CreatedRun>;
  /** Starts the workers, which take jobs of all runs of the database. */
  start(): Promise<void>;
  /**
   * Keeps other processes from working on the runs of the database until the pipeline is stopped.
   *
   * @throws CategorizedError `lock_busy` while another process works on them
   */
  acquireExclusive(): Promise<void>;
  /** Abandons the active runs whose miners all have base URLs like the SQL pattern. @returns their ids */
  abandonRuns(minersAt: string, why: Abandonment): Promise<readonly number[]>;
  progress(runId: number): Promise<RunProgress>;
  /** Resolves when the run is over, in whichever process it ran; rejects when the pipeline is stopped before. */
  finished(runId: number): Promise<void>;
  /**
   * Takes no more jobs, waits for running steps and closes what the pipeline opened; idempotent. Steps that do not end
   * within `stopMillis` are abandoned: they can no longer commit, and their jobs are released to other workers at once.
   */
  stop(): Promise<StopReport>;
}

/** Creates a pipeline, which does nothing before a method is called. The database must be migrated. */
export function createPipeline(options: PipelineOptions): Pipeline {
  const pool = options.pool ?? openPool(options.connectionString, options);
  const detach = attachErrorHandlers(pool, options.onProblem ?? (() => undefined));
  const agent = openForecastAgent(options.connectToMiners);
  const fenced = fencePool(pool);
  const detachPool = (): void => {
    fenced.remove();
    detach();
  };
  const parts = toParts(options, { pool: fenced.pool, agent });
  const ready = once(() => migrateQueue(pool));
  const workerOptions = { ...toWorkerOptions(options, parts), pool, fence: fenced.close };
  const startOnce = once(() => startWorker(workerOptions));
  const hasAnalysis = options.stores.analysis !== undefined;
  const progressOf = (runId: number): Promise<RunProgress> => loadProgress(pool, runId, { hasAnalysis });
  let worker: Promise<QueueWorker> | undefined;
  let stopped: Promise<StopReport> | undefined;
  let exclusive: ExclusiveLock | undefined;
  const stop = async (): Promise<StopReport> => {
    let report = NOTHING_UNDER_WAY;
    try {
      report = (await (await worker?.catch(() => undefined))?.stop()) ?? NOTHING_UNDER_WAY;
    } finally {
      await exclusive?.release();
      await closeParts({ pool, ownsPool: options.pool === undefined, agent, detachPool: detachPool }, report);
    }
    return report;
  };
  return {
    async createRun(request) {
      const requested = toRequestedRun(request, parts.clock.now());
      await ready();
      return createRun(parts, requested);
    },
    async ensureRun(request) {
      const requested = toRequestedRun(request, parts.clock.now());
      await ready();
      return ensureRun(parts, requested);
    },
    async start() {
      await ready();
      if (exclusive === undefined) await assertNotExclusive(pool);
      worker = startOnce();
      await worker;
    },
    async acquireExclusive() {
      exclusive ??= await acquireExclusive(pool);
    },
    abandonRuns: (minersAt, why) => abandonRuns(parts, minersAt, why),
    async progress(runId) {
      await ready();
      return progressOf(runId);
    },
    finished: (runId) => waitForRun(() => (stopped === undefined ? progressOf(runId) : null)),
    stop: () => (stopped ??= stop()),
  };
}

/** Sizes the pool: one connection per step, and some for the queue's notifications and locks. */
const openPool = (url: string, { concurrency = DEFAULTS.concurrency }: PipelineOptions): Pool =>
  createDatabasePool(url, { applicationName: 'barograph-pipeline', maxConnections: concurrency + 6 });

function toParts(
  options: PipelineOptions,
  opened: { readonly pool: Pool; readonly agent: Agent },
): SharedParts {
  const { minerClient, delayFactor = 1, clock = { now: () => new Date() } } = options;
  return {
    pool: opened.pool,
    clock,
    minerClient,
    openForecast: options.openForecast ?? createForecastOpener(minerClient, opened.agent),
    storesOf: createCycleStores(options.stores, {
      clock,
      refreshMillis: (TRUTH_POLL_SECONDS * 1000 * delayFactor) / 2,
      fieldCacheBytes: options.fieldCacheBytes ?? DEFAULTS.fieldCacheBytes,
    }),
    ends: options.ends ?? null,
    policies: options.policies ?? RETRY_POLICIES,
    delayFactor,
    freezeWindowMillis: options.freezeWindowMillis ?? DEFAULTS.freezeWindowMillis,
  };
}

/** Validates a request. @throws RangeError naming what was got and what is allowed */
const toRequestedRun = (request: RunRequest, now: Date): RequestedRun => ({
  run: {
    validatorHotkey: request.validatorHotkey,
    initTime: requireForecastCycle(request.initTime),
    initiatedAt: now,
    day1Lead: requireLeads([request.day1Lead ?? DAY1_LEAD_HOURS])[0] ?? DAY1_LEAD_HOURS,
    era5Leads: requireLeads(request.leads ?? ERA5_LEAD_HOURS),
    storeLocations: request.storeLocations,
  },
  miners: requireMiners(request.miners),
});

const toWorkerOptions = (options: PipelineOptions, parts: SharedParts) => ({
  concurrency: options.concurrency ?? DEFAULTS.concurrency,
  pollMillis: options.queuePollMillis ?? DEFAULTS.queuePollMillis,
  orphanCheckMillis: options.recovery?.checkMillis ?? DEFAULTS.orphanCheckMillis,
  orphanGraceMillis: options.recovery?.graceMillis ?? DEFAULTS.orphanGraceMillis,
  stopMillis: options.stopMillis ?? DEFAULTS.stopMillis,
  onProblem: options.onProblem ?? (() => undefined),
  handle: async ({ task, payload, queueJobId, deliveries }: QueueDelivery) => {
    const work = () => TASK_HANDLERS[task]({ parts, payload, delivery: { queueJobId, deliveries } });
    await replayEndsThen(parts, { queueJobId, deliveries, endInPayload: payload.end }, work);
  },
  relayEnds: createEndRelay(parts, options.onProblem ?? (() => undefined)),
});

/** The resources of a pipeline. */
export interface OpenedParts {
  readonly pool: Pool;
  /** Whether the pipeline opened the pool and must close it; a given pool is closed by the caller. */
  readonly ownsPool: boolean;
  readonly agent: Agent;
  /** Detaches all handlers from the pool. */
  readonly detachPool: () => void;
}

/**
 * Closes the resources of a pipeline. Abandoned steps still hold connections: closing does not wait for those, and the
 * error handlers stay attached for them.
 */
async function closeParts(opened: OpenedParts, { left }: StopReport): Promise<void> {
  const { pool, ownsPool, agent, detachPool: detachPool } = opened;
  if (left > 0) {
    await agent.destroy();
    if (ownsPool) pool.end().catch(() => undefined);
    return;
  }
  await agent.close();
  if (ownsPool) await pool.end();
  detachPool();
}
