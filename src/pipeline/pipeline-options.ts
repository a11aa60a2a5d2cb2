import type { Pool } from 'pg';
import type { buildConnector } from 'undici';
import type { Clock } from './control/clock.ts';
import type { ForecastOpener } from './scores/forecast-opener.ts';
import type { SpanEndCodec } from './step/span-end-codec.ts';
import type { MinerClient } from './miners/index.ts';
import type { RetryPolicies } from './step/retry-policy.ts';
import type { PipelineStores } from './scores/cycle-stores.ts';

/** The database of control state and queue: a URL, or a pool that the caller owns and closes. */
export type PipelineDatabase =
  | { readonly connectionString: string; readonly pool?: undefined }
  | { readonly pool: Pool; readonly connectionString?: undefined };

export type PipelineOptions = PipelineDatabase & PipelineSettings;

/** The collaborators and limits of a pipeline. */
export interface PipelineSettings {
  readonly stores: PipelineStores;
  /** Owned by the caller: it is not closed with the pipeline. */
  readonly minerClient: MinerClient;
  readonly clock?: Clock;
  /** Multiplies every delay and wait: 1 in production. */
  readonly delayFactor?: number;
  /** Concurrent steps in this process. */
  readonly concurrency?: number;
  /** Poll interval of the queue where notifications do not arrive, milliseconds. */
  readonly queuePollMillis?: number;
  readonly policies?: RetryPolicies;
  /** How soon the jobs of dead workers and lost connections are delivered again. */
  readonly recovery?: Recovery;
  /** How long `stop` waits for running steps, milliseconds; 30 s unless given. */
  readonly stopMillis?: number;
  readonly freezeWindowMillis?: number;
  /** Span-end outbox: replays the span ends that a dead process did not export. No outbox unless given. */
  readonly ends?: SpanEndCodec;
  /** Opens a forecast; by default at the URL of its miner. */
  readonly openForecast?: ForecastOpener;
  /** Opens the connections to files of miners; by default certificates are not verified. */
  readonly connectToMiners?: buildConnector.connector;
  /** Capacity of the cache for fields of the validator's own stores, bytes. */
  readonly fieldCacheBytes?: number;
  /** Receives warnings and errors of the queue; everything else is in the spans. */
  readonly onProblem?: (message: string) => void;
}

/** How soon the jobs of dead workers are delivered again: at most one grace period plus one check interval. */
export interface Recovery {
  /** Interval of the check for such jobs, milliseconds. */
  readonly checkMillis: number;
  /** How long a job must have been locked before it can count as one of them, milliseconds. */
  readonly graceMillis: number;
}

/** The default settings. */
export const DEFAULTS = {
  concurrency: 8,
  queuePollMillis: 2000,
  freezeWindowMillis: 2 * 3_600_000,
  fieldCacheBytes: 2 ** 30,
  orphanCheckMillis: 15_000,
  orphanGraceMillis: 30_000,
  stopMillis: 30_000,
};
