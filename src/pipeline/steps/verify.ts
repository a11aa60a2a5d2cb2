import type { Queryable } from '#database/transaction';
import { CategorizedError } from '#semconv';
import { step, type StepDefinition, type StepOutcome } from '#steps';
import { withControlState } from '../control/control-state-error.ts';
import { freezeManifest, type FrozenManifest, loadFrozenManifest } from '../control/frozen-manifest.ts';
import { insertLeads } from '../control/lead-row.ts';
import { moveMiner } from '../control/moves.ts';
import { requestAccess, requireSameHash } from '../leads/forecast-access.ts';
import { scoreLeadJob } from '../leads/lead-commits.ts';
import { type ForecastAccess, verifyManifest } from '../miners/index.ts';
import { addJobs } from '../queue/jobs.ts';
import { commitStep } from '../step/commit-step.ts';
import { failedOutcome, retryOutcome, supersededOutcome } from '../step/common-outcomes.ts';
import { commitFailure, commitRetry } from '../step/miner-commits.ts';
import { attemptIdentity, minerIdentity } from '../step/step-identity.ts';
import type { MinerJob } from '../step/step-job.ts';
import { withRetryPolicy } from '../step/step-policy.ts';
import type { Failed, Retry, Superseded } from '../step/step-result.ts';
import {
  findingAttributes,
  findingContext,
  hostingStatusOf,
  isDisproof,
  responseStatusOf,
  type VerifyFindings,
} from './verify-findings.ts';

/** The hosted forecast matches its claim, and its manifest is frozen. */
export interface Verified {
  readonly kind: 'verified';
  readonly verifiedAt: Date;
}
export type VerifyResult = (Verified | Retry | Failed | Superseded) & { readonly findings?: VerifyFindings };

/** Verifying the hosted manifest of a miner and freezing it. */
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

/** Verifies the hosted manifest of a miner and freezes it. Scoring follows. */
export const verifyMiner = step(verifyDefinition, async (job: MinerJob): Promise<VerifyResult> => {
  const { parts, delivery, miner } = job;
  const findings: VerifyFindings = {};
  const underway = { parts, delivery, step: 'verify', attempt: miner.attempt } as const;
  const result = await withRetryPolicy(underway, () => verify(job, findings));
  return commitStep<VerifyResult>(job, { ...result, findings }, (client, outcome) =>
    commit(client, job, outcome),
  );
});

/** Token, manifest, freeze, first opening: in this order, each only after the one before succeeded. */
async function verify(job: MinerJob, findings: VerifyFindings): Promise<Verified> {
  const access = await requestAccess(job);
  findings.storePath = access.storePath;
  findings.hashClaimed = access.manifestHash;
  const manifest = await resolveManifest(job, access, findings);
  findings.files = Object.keys(manifest.files).length;
  findings.frozenAt = manifest.frozenAt;
  await openThroughManifest(job, access, { manifest, findings });
  return { kind: 'verified', verifiedAt: job.parts.clock.now() };
}

/** The manifest that the forecast is held to: the frozen one, or the hosted one, frozen now (first writer wins). */
async function resolveManifest(
  job: MinerJob,
  access: ForecastAccess,
  findings: VerifyFindings,
): Promise<FrozenManifest> {
  const { parts, miner } = job;
  const frozen = await withControlState(() => loadFrozenManifest(parts.pool, miner));
  if (frozen !== null) requireSameHash(frozen.manifestHash, access);
  const hosted = await readHostedManifest(job, access, findings);
  if (frozen !== null) return frozen;
  const frozenAt = requireFreezeWindow(job);
  const fresh = {
    manifestHash: hosted.hash,
    storePath: access.storePath,
    header: hosted.header,
    files: hosted.files,
    frozenAt,
  };
  const manifest = await withControlState(() => freezeManifest(parts.pool, miner, fresh));
  requireSameHash(manifest.manifestHash, access);
  return manifest;
}

/** Reads the hosted manifest and verifies it against the claimed hash and the miner's key. */
async function readHostedManifest(job: MinerJob, access: ForecastAccess, findings: VerifyFindings) {
  const { parts, miner } = job;
  findings.hostingTried = true;
  const { bytes, signature, firstByteMillis } = await parts.minerClient.fetchManifest(miner, access);
  findings.hostingLatencyMs = firstByteMillis;
  const manifest = verifyManifest({
    bytes,
    signature,
    claimedHash: access.manifestHash,
    minerHotkey: miner.hotkey,
  });
  findings.hashComputed = manifest.hash;
  findings.header = { ...manifest.header, files: Object.keys(manifest.files).length };
  return manifest;
}

/**
 * Rejects a late freeze: a forecast whose hash is fixed hours after the run began may have been made with knowledge of
 * the weather.
 *
 * @returns now, as the time of the freeze
 * @throws CategorizedError `verification_freeze_window` after the window has closed
 */
function requireFreezeWindow({ parts, run }: MinerJob): Date {
  const now = parts.clock.now();
  const closesAt = new Date(run.initiatedAt.getTime() + parts.freezeWindowMillis);
  if (now <= closesAt) return now;
  throw new CategorizedError(
    'verification_freeze_window',
    `The manifest would be frozen at ${now.toISOString()}; allowed until ${closesAt.toISOString()}.`,
  );
}

/** Reads metadata and coordinates through the frozen manifest, so every byte is checked against its hash. */
async function openThroughManifest(
  { parts, miner }: MinerJob,
  access: ForecastAccess,
  { manifest, findings }: { readonly manifest: FrozenManifest; readonly findings: VerifyFindings },
): Promise<void> {
  const forecast = await parts.openForecast({ miner, access, files: manifest.files });
  findings.bytesRead = forecast.stats().bytes;
  findings.variables = forecast.store.variables.map(({ name }) => name);
}

async function commit(client: Queryable, job: MinerJob, result: VerifyResult): Promise<boolean> {
  switch (result.kind) {
    case 'verified':
      return commitVerified(client, job);
    case 'retry':
      return commitRetry(client, job, { task: 'verify', nextRetryTime: result.nextRetryTime });
    case 'failed':
      return commitFailure(client, job, { step: 'verify', failed: result });
    case 'superseded':
      return false;
  }
}

/** Inserts all leads. Only day one is queued; its end releases the others. */
async function commitVerified(client: Queryable, job: MinerJob): Promise<boolean> {
  const { miner, run, parts } = job;
  if (!(await moveMiner(client, miner, { to: 'scoring' }))) return false;
  const key = { runId: run.runId, minerUid: miner.uid };
  await insertLeads(client, key, run);
  const day1 = { ...key, scoreType: 'day1', leadHours: run.day1Lead, revision: 0 } as const;
  await addJobs(client, [scoreLeadJob(day1, parts.clock.now())]);
  return true;
}
