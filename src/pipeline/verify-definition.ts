import type { StepDefinition, StepOutcome } from '#steps';
import { failedOutcome, retryOutcome, supersededOutcome } from './step/common-outcomes.ts';
import { attemptIdentity, minerIdentity } from './step/step-identity.ts';
import type { MinerJob } from './step/step-job.ts';
import type { Failed, Retry, Superseded } from './step/step-result.ts';
import {
  findingAttributes,
  findingContext,
  hostingStatusOf,
  isDisproof,
  responseStatusOf,
  type VerifyFindings,
} from './verify-findings.ts';

/** The forecast is what was promised, and its manifest is frozen. */
export interface Verified {
  readonly kind: 'verified';
  readonly verifiedAt: Date;
}
export type VerifyResult = (Verified | Retry | Failed | Superseded) & { readonly findings?: VerifyFindings };

/** Checking and freezing what a miner hosts. */
export const verifyDefinition: StepDefinition<[MinerJob], Promise<VerifyResult>> = {
  name: 'verify',
  substep: 'manifest',
  profile: true,
  identity: (job) => ({ ...minerIdentity(job), ...attemptIdentity('verify', job.miner, job) }),
  attributes: (job) => ({
    'weather.stage': 'verification',
    'weather.stage.status': 'in_progress',
    'weather.response.status': 'verifying_manifest',
    'weather.job.id': job.miner.jobId,
  }),
  outcome: toOutcome,
};

function toOutcome(result: VerifyResult): StepOutcome {
  const { findings = {} } = result;
  const context = findingContext(findings);
  switch (result.kind) {
    case 'verified':
      return verifiedOutcome(findings);
    case 'retry':
      return retryOutcome(result, {
        stage: 'verification',
        attributes: failureAttributes(result.error, findings),
        context,
      });
    case 'failed':
      return failedOutcome(result, {
        stage: 'verification',
        attributes: {
          ...failureAttributes(result.error, findings),
          'weather.forecast.status': 'failed',
          'weather.verification.passed': isDisproof(result.error) ? false : null,
        },
        context,
      });
    case 'superseded':
      return supersededOutcome(result);
  }
}

const verifiedOutcome = (findings: VerifyFindings): StepOutcome => ({
  status: 'succeeded',
  stage: 'verification',
  stageStatus: 'completed',
  attributes: {
    ...findingAttributes(findings),
    'weather.hosting.status': 'accessible',
    'weather.response.status': 'verified_manifest_store_opened',
    'weather.verification.passed': true,
    'weather.forecast.status': 'input_received',
  },
  context: findingContext(findings),
});

const failureAttributes = (error: unknown, findings: VerifyFindings) => ({
  ...findingAttributes(findings),
  'weather.hosting.status': hostingStatusOf(error, findings),
  'weather.response.status': responseStatusOf(error, findings),
});
