import type { StepDefinition, StepOutcome } from '#steps';
import { failedOutcome, retryOutcome, supersededOutcome } from './step/common-outcomes.ts';
import { attemptIdentity, runIdentity } from './step/step-identity.ts';
import type { RunJob } from './step/step-job.ts';
import type { Failed, Retry, Superseded } from './step/step-result.ts';

/** The GFS input of the run is there. */
export interface GfsReady {
  readonly kind: 'ready';
  /** What was read, as the record of the run keeps it. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly bytes: number;
  readonly cacheHits: number;
}

/** Another process is opening the same cycle. Neither a success nor a failed attempt. */
export interface LockBusy {
  readonly kind: 'lock_busy';
  readonly error: unknown;
  readonly nextRetryTime: Date;
}
export type GfsDownloadResult = GfsReady | LockBusy | Retry | Failed | Superseded;

/** Opening the GFS input of a run, once for all its miners. */
export const gfsDownloadDefinition: StepDefinition<[RunJob], Promise<GfsDownloadResult>> = {
  name: 'seed',
  substep: 'gfs_download',
  profile: true,
  identity: (job) => ({ ...runIdentity(job), ...attemptIdentity('seed', job.run, job) }),
  attributes: () => ({ 'weather.stage': 'gfs_fetch', 'weather.stage.status': 'in_progress' }),
  outcome: toOutcome,
};

function toOutcome(result: GfsDownloadResult, job: RunJob): StepOutcome {
  const stage = 'gfs_fetch';
  switch (result.kind) {
    case 'ready':
      return readyOutcome(result);
    case 'lock_busy':
      return retryOutcome({ ...result, kind: 'retry' }, { stage, context: { lock_busy: true } });
    case 'retry':
      return retryOutcome(result, { stage, context: cycleContext(job) });
    case 'failed':
      return failedOutcome(result, { stage, context: cycleContext(job) });
    case 'superseded':
      return supersededOutcome(result);
  }
}

const readyOutcome = ({ input, bytes, cacheHits }: GfsReady): StepOutcome => ({
  status: 'succeeded',
  stage: 'gfs_fetch',
  stageStatus: 'completed',
  attributes: {
    'weather.run.status': 'gfs_ready',
    'weather.run.input_metadata': JSON.stringify(input),
    'weather.profile.bytes_read': bytes,
  },
  context: { ...input, bytes, cache_hits: cacheHits },
});

const cycleContext = ({ run }: RunJob): Record<string, unknown> => ({
  gfs_init: run.initTime,
  lead_hours: run.day1Lead,
});
