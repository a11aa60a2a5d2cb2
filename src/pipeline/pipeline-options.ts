import type { Pool } from 'pg';
import type { Clock } from './control/clock.ts';
import type { ForecastOpener } from './scores/forecast-opener.ts';
import type { SpanEndCodec } from './step/span-end-codec.ts';
import type { MinerClient } from './miners/index.ts';
import type { RetryPolicies } from './step/retry-policy.ts';
import type { PipelineStores } from './scores/cycle-stores.ts';

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
  readonly recovery?: Recovery;
  /** How long `stop` waits for steps under way, milliseconds; 30 s unless given. */
  readonly stopMillis?: number;
  readonly freezeWindowMillis?: number;
  /** How the word of a step outlives its process; it does not unless given. */
  readonly ends?: SpanEndCodec;
  /** How a forecast is opened; where its miner hosts it unless given. */
  readonly openForecast?: ForecastOpener;
  /** Most bytes of fields of the validator's own stores that are kept. */
  readonly fieldCacheBytes?: number;
  /** Called with problems of the queue; everything else is in the spans. */
  readonly onProblem?: (message: string) => void;
}

/** How soon jobs of dead workers are taken up again: after the grace and one check at most. */
export interface Recovery {
  /** How often they are looked for, milliseconds. */
  readonly checkMillis: number;
  /** How long a job must be locked before it can count as one of them, milliseconds. */
  readonly graceMillis: number;
}

/** What holds where nothing else is given. */
export const DEFAULTS = {
  concurrency: 8,
  queuePollMillis: 2000,
  freezeWindowMillis: 2 * 3_600_000,
  fieldCacheBytes: 2 ** 30,
  orphanCheckMillis: 15_000,
  orphanGraceMillis: 30_000,
  stopMillis: 30_000,
};
