import type { Pool } from 'pg';
import { Agent } from 'undici';
import { createDatabasePool } from '../database/connect.ts';
import { DAY1_LEAD_HOURS, ERA5_LEAD_HOURS } from '../semconv/index.ts';
import { abandonRuns } from './abandon-run.ts';
import { loadProgress, type RunProgress } from './control/progress.ts';
import { createRun, type CreatedRun, type RequestedRun } from './create-run.ts';
import { ensureRun } from './ensure-run.ts';
import { requireForecastCycle } from './forecast-cycle.ts';
import { createForecastOpener, type ForecastOpener } from './forecast-opener.ts';

import type { Miner, MinerClient } from './miners/index.ts';
import { once } from './once.ts';
import { hearErrors } from './queue/hear-errors.ts';
import { migrateQueue, startWorker, type QueueWorker } from './queue/worker.ts';
import { RETRY_POLICIES, type RetryPolicies } from './retry-policy.ts';
import { createCycleStores, type PipelineStores } from './scores/cycle-stores.ts';
import type { Clock } from './clock.ts';
import { becomeSole, requireNoSole, type SoleLock } from './sole-worker.ts';
import type { SharedParts } from './step-job.ts';
import { TASK_HANDLERS } from './tasks.ts';
import { requireLeads, requireMiners } from './run-request.ts';
import { TRUTH_POLL_SECONDS } from './truth-times.ts';
import { untilFinished } from './until-finished.ts';

/** Where control state and queue are kept: a URL, or a pool that stays the caller's. */
export type PipelineDatabase =
  | { readonly connectionString: string; readonly pool?: undefined }
  | { readonly pool: Pool; readonly connectionString?: undefined };

export type PipelineOptions = PipelineDatabase & PipelineSettings;

/** What a pipeline works with. */
export interface PipelineSettings {
  readonly stores: PipelineStores;
  /** Stays the caller's: it is not closed with the pipeline. */
  readonly minerClient: MinerClient;
  readonly clock?: Clock;
  /** Multiplies every delay and wait: 1 in production. */
  readonly delayFactor?: number;
  /** Steps at a time in this process. */
  readonly concurrency?: number;
  /** How often the queue is looked at where notifications do not arrive, milliseconds. */
  readonly queuePollMillis?: number;
  readonly policies?: RetryPolicies;
  /** How soon jobs are taken up again whose worker died or whose connection was lost. */
  readonly recovery?: { readonly checkMillis: number; readonly graceMillis: number };
  readonly freezeWindowMillis?: number;
  /** How a forecast is opened; where its miner hosts it unless given. */
  readonly openForecast?: ForecastOpener;
  /** Most bytes of fields of the validator's own stores that are kept. */
  readonly fieldCacheBytes?: number;
  /** Hears what the queue complains of; nothing else is told but by spans. */
  readonly onProblem?: (message: string) => void;
}

/** A run to be made. */
export interface RunRequest {
  readonly validatorHotkey: string;
  /** T0: a GFS cycle. */
  readonly initTime: Date;
  readonly miners: readonly Miner[];
  /** Leads scored against ERA5, hours; the ten of production unless given. */
  readonly leads?: readonly number[];
  /** Lead scored on day one, hours. */
  readonly day1Lead?: number;
}

/** The pipeline of one process. Any number of them share one database. */
export interface Pipeline {
  /** @returns the id of the run; that of the active one when the validator has one for the cycle */
  createRun(request: RunRequest): Promise<number>;
  /** Creates a run unless the validator has had one for the cycle, under way or over. */
  ensureRun(request: RunRequest): Promise<CreatedRun>;
  /** Starts to work on all runs of the database. */
  start(): Promise<void>;
  /**
   * Lets nobody else work on the runs of the database until the pipeline is stopped.
   *
   * @throws CategorizedError `lock_busy` when somebody does
   */
  becomeSole(): Promise<void>;
  /** Gives up the active runs whose miners are all at addresses like the pattern. @returns their ids */
  abandonRuns(minersAt: string, reason: string): Promise<readonly number[]>;
  progress(runId: number): Promise<RunProgress>;
  /** Resolves when the run is over, whoever works on it; rejects when the pipeline is stopped before. */
  finished(runId: number): Promise<void>;
  /** Lets the steps under way come to their end and closes what was opened. */
  stop(): Promise<void>;
}

const DEFAULTS = {
  concurrency: 8,
  queuePollMillis: 2000,
  freezeWindowMillis: 2 * 3_600_000,
  fieldCacheBytes: 2 ** 30,
  orphanCheckMillis: 15_000,
  orphanGraceMillis: 30_000,
};

/** Makes a pipeline that does nothing before it is told to. The database must be migrated. */
export function createPipeline(options: PipelineOptions): Pipeline {
  const pool = options.pool ?? openPool(options.connectionString, options);
  const goDeaf = hearErrors(pool, options.onProblem ?? (() => undefined));
  const agent = new Agent({ connect: { rejectUnauthorized: false } });
  const parts = toParts(options, { pool, agent });
  const ready = once(() => migrateQueue(pool));
  const startOnce = once(() => startWorker(toWorkerOptions(options, parts)));
  let worker: Promise<QueueWorker> | undefined;
  let stopped: Promise<void> | undefined;
  let sole: SoleLock | undefined;
  const stop = async (): Promise<void> => {
    try {
      await (await worker?.catch(() => undefined))?.stop();
    } finally {
      sole?.release();
      await agent.close();
      if (options.pool === undefined) await pool.end();
      goDeaf();
    }
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
      if (sole === undefined) await requireNoSole(pool);
      worker = startOnce();
      await worker;
    },
    async becomeSole() {
      sole ??= await becomeSole(pool);
    },
    abandonRuns: (minersAt, reason) => abandonRuns(parts, minersAt, reason),
    async progress(runId) {
      await ready();
      return loadProgress(pool, runId);
    },
    finished: (runId) => untilFinished(() => (stopped === undefined ? loadProgress(pool, runId) : null)),
    stop: () => (stopped ??= stop()),
  };
}

/** Every step may hold a connection; the queue's notifications and locks hold some more. */
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
    policies: options.policies ?? RETRY_POLICIES,
    delayFactor,
    freezeWindowMillis: options.freezeWindowMillis ?? DEFAULTS.freezeWindowMillis,
  };
}

/** Checks a request at the door. @throws RangeError naming what was got and what is allowed */
const toRequestedRun = (request: RunRequest, now: Date): RequestedRun => ({
  run: {
    validatorHotkey: request.validatorHotkey,
    initTime: requireForecastCycle(request.initTime),
    initiatedAt: now,
    day1Lead: requireLeads([request.day1Lead ?? DAY1_LEAD_HOURS])[0] ?? DAY1_LEAD_HOURS,
    era5Leads: requireLeads(request.leads ?? ERA5_LEAD_HOURS),
  },
  miners: requireMiners(request.miners),
});

const toWorkerOptions = (options: PipelineOptions, parts: SharedParts) => ({
  pool: parts.pool,
  concurrency: options.concurrency ?? DEFAULTS.concurrency,
  pollMillis: options.queuePollMillis ?? DEFAULTS.queuePollMillis,
  orphanCheckMillis: options.recovery?.checkMillis ?? DEFAULTS.orphanCheckMillis,
  orphanGraceMillis: options.recovery?.graceMillis ?? DEFAULTS.orphanGraceMillis,
  onProblem: options.onProblem ?? (() => undefined),
  handle: async ({
    task,
    payload,
    queueJobId,
    deliveries,
  }: Parameters<Parameters<typeof startWorker>[0]['handle']>[0]) =>
    TASK_HANDLERS[task]({ parts, payload, delivery: { queueJobId, deliveries } }),
});
