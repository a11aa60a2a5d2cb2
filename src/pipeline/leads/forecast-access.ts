import { CategorizedError } from '#semconv';
import { withControlState } from '../control/control-state-error.ts';
import { loadFrozenManifest } from '../control/frozen-manifest.ts';
import type { OpenedForecast } from '../scores/forecast-opener.ts';
import type { ForecastAccess } from '../miners/index.ts';
import { type MinerJob, requireJobId } from '../step/step-job.ts';

/**
 * Requests a fresh token. Tokens are secrets and are never stored.
 *
 * @throws CategorizedError `not_found`, retryable, while the miner has no finished forecast to give access to
 */
export async function requestAccess(job: MinerJob): Promise<ForecastAccess> {
  const { minerClient } = job.parts;
  const reply = await minerClient.requestToken(job.miner, requireJobId(job));
  switch (reply.kind) {
    case 'ready':
      return reply.access;
    case 'processing':
      throw notReady('is still processing it');
    case 'not_found':
      throw notReady('does not know the job');
    case 'error':
      throw notReady(`answered with an error: ${reply.message}`);
  }
}

const notReady = (why: string): CategorizedError =>
  new CategorizedError('not_found', `The miner gave no access to its forecast: it ${why}.`, {
    retryable: true,
  });

/** @throws CategorizedError `verification_hash_changed` when the miner claims another manifest than the frozen one */
export function requireSameHash(frozenHash: string, access: ForecastAccess): void {
  if (access.manifestHash.toLowerCase() === frozenHash) return;
  throw new CategorizedError(
    'verification_hash_changed',
    `The miner now claims a manifest with another hash than the frozen one (${frozenHash.slice(0, 12)}…); only the frozen forecast is scored.`,
  );
}

/** Opens the forecast for scoring: a fresh token, the same hash, and the files of the frozen manifest. */
export async function openFrozenForecast(job: MinerJob): Promise<OpenedForecast> {
  const { parts, miner } = job;
  const frozen = await withControlState(() => loadFrozenManifest(parts.pool, miner));
  if (frozen === null) {
    throw new CategorizedError(
      'validator_internal',
      `Miner ${miner.uid} of run ${miner.runId} has no frozen manifest; it must be verified before it is scored.`,
    );
  }
  const access = await requestAccess(job);
  requireSameHash(frozen.manifestHash, access);
  return parts.openForecast({ miner, access, files: frozen.files });
}
