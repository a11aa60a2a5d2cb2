import type { Pool } from 'pg';
import { CategorizedError } from '#semconv';
import type { Clock } from '../control/clock.ts';
import type { LeadRow } from '../control/lead-row.ts';
import type { MinerRow } from '../control/miner-row.ts';
import type { RunRow } from '../control/run-row.ts';
import type { ForecastOpener } from '../scores/forecast-opener.ts';
import type { SpanEndCodec } from './span-end-codec.ts';
import type { MinerClient } from '../miners/index.ts';
import type { RetryPolicies } from './retry-policy.ts';
import type { ScoringStores } from '../scores/cycle-stores.ts';

/** The collaborators of all steps, independent of the run. */
export interface SharedParts {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly minerClient: MinerClient;
  readonly openForecast: ForecastOpener;
  /** Null where nothing is recorded. */
  readonly ends: SpanEndCodec | null;
  /** The stores that the forecasts of a cycle are scored with. */
  readonly storesOf: (initTime: Date) => ScoringStores;
  readonly policies: RetryPolicies;
  /** Multiplies every delay: 1 in production, a small fraction in a demonstration. */
  readonly delayFactor: number;
  /** How long after the start of a run a manifest may be frozen, milliseconds. Real time: `delayFactor` does not apply. */
  readonly freezeWindowMillis: number;
}

/** The collaborators of the steps of one run. */
export interface PipelineParts extends SharedParts {
  readonly stores: ScoringStores;
}

/** A delivery of a job by the queue. */
export interface JobDelivery {
  readonly queueJobId: number;
  /** How often the queue has handed out this job, from 1; above 1 a worker died or could not commit. */
  readonly deliveries: number;
}

/** A step of a run as a whole. */
export interface RunJob {
  readonly parts: PipelineParts;
  readonly delivery: JobDelivery;
  readonly run: RunRow;
}

/** A step of one miner of a run. */
export interface MinerJob extends RunJob {
  readonly miner: MinerRow;
}

/** The scoring of one lead of one miner. */
export interface LeadJob extends MinerJob {
  readonly lead: LeadRow;
}

/**
 * The id that the miner gave to its job.
 *
 * @throws CategorizedError `validator_internal` when there is none: the control row is broken, because polling,
 * verification and scoring all follow an acceptance
 */
export function requireJobId({ miner }: MinerJob): string {
  if (miner.jobId !== null) return miner.jobId;
  throw new CategorizedError(
    'validator_internal',
    `Miner ${miner.uid} of run ${miner.runId} is ${miner.state} and has no job; it must be queried first.`,
  );
}
