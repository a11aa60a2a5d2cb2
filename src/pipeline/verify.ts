import { CategorizedError } from '#semconv';
import { step } from '#steps';
import { withControlState } from './control/control-state-error.ts';
import { freezeManifest, loadFrozenManifest, type FrozenManifest } from './control/frozen-manifest.ts';
import type { Queryable } from '#database/transaction';
import { insertLeads } from './control/lead-row.ts';
import { moveMiner } from './control/moves.ts';
import { requestAccess, requireSameHash } from './leads/forecast-access.ts';
import { commitFailure, commitRetry } from './step/miner-commits.ts';
import { verifyManifest, type ForecastAccess } from './miners/index.ts';
import { addJobs } from './queue/jobs.ts';
import { scoreLeadJob } from './leads/lead-commits.ts';
import { settle } from './step/commit-step.ts';
import type { MinerJob } from './step/step-job.ts';
import { underPolicy } from './step/step-policy.ts';
import { verifyDefinition, type Verified, type VerifyResult } from './verify-definition.ts';
import type { VerifyFindings } from './verify-findings.ts';

/** Checks and freezes what a miner hosts; scoring follows. */
export const verifyMiner = step(verifyDefinition, async (job: MinerJob): Promise<VerifyResult> => {
  const { parts, delivery, miner } = job;
  const findings: VerifyFindings = {};
  const underway = { parts, delivery, step: 'verify', attempt: miner.attempt } as const;
  const result = await underPolicy(underway, () => verify(job, findings));
  return settle<VerifyResult>(job, { ...result, findings }, (client, settled) =>
    commit(client, job, settled),
  );
});

/** Token, manifest, freeze, first opening: in this order, and each only when the one before was in order. */
async function verify(job: MinerJob, findings: VerifyFindings): Promise<Verified> {
  const access = await requestAccess(job);
  findings.storePath = access.storePath;
  findings.hashClaimed = access.manifestHash;
  const manifest = await holdManifest(job, access, findings);
  findings.files = Object.keys(manifest.files).length;
  findings.frozenAt = manifest.frozenAt;
  await openOnce(job, access, { manifest, findings });
  return { kind: 'verified', verifiedAt: job.parts.clock.now() };
}

/** The manifest that counts: the frozen one where there is one, else the hosted one, frozen now. */
async function holdManifest(
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

/** The manifest as it is hosted now, checked against what the miner claims and against its key. */
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

/** A forecast that is only promised hours after the run began may know the weather already. */
function requireFreezeWindow({ parts, run }: MinerJob): Date {
  const now = parts.clock.now();
  const closesAt = new Date(run.initiatedAt.getTime() + parts.freezeWindowMillis);
  if (now <= closesAt) return now;
  throw new CategorizedError(
    'verification_freeze_window',
    `The manifest would be frozen at ${now.toISOString()}; allowed until ${closesAt.toISOString()}.`,
  );
}

/** Reads metadata and coordinates through the frozen manifest: what is opened is what was promised. */
async function openOnce(
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

/** All leads are laid out; only day one has a job yet. */
async function commitVerified(client: Queryable, job: MinerJob): Promise<boolean> {
  const { miner, run, parts } = job;
  if (!(await moveMiner(client, miner, { to: 'scoring' }))) return false;
  const key = { runId: run.runId, minerUid: miner.uid };
  await insertLeads(client, key, run);
  const day1 = { ...key, scoreType: 'day1', leadHours: run.day1Lead, revision: 0 } as const;
  await addJobs(client, [scoreLeadJob(day1, parts.clock.now())]);
  return true;
}
