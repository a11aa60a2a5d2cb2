import type { Pool } from 'pg';
import type { Queryable } from '#database/transaction';
import type { MinerRow } from './miner-row.ts';

/** The manifest that a miner's forecast is verified against, whatever the miner hosts later. */
export interface FrozenManifest {
  readonly manifestHash: string;
  readonly storePath: string;
  /** The manifest without its list of files. */
  readonly header: Readonly<Record<string, unknown>>;
  /** Relative path to the hash of that file. */
  readonly files: Readonly<Record<string, string>>;
  readonly frozenAt: Date;
}

/** @returns null when none was frozen yet */
export async function loadFrozenManifest(
  pool: Pool | Queryable,
  miner: MinerRow,
): Promise<FrozenManifest | null> {
  const { rows } = await pool.query<FrozenManifest>(
    `select manifest_hash as "manifestHash", store_path as "storePath", header, files, frozen_at as "frozenAt"
     from pipeline.frozen_manifests where run_id = $1 and miner_uid = $2`,
    [miner.runId, miner.uid],
  );
  return rows[0] ?? null;
}

/** Deletes the frozen manifests of a run that is over: no step reads them any more. */
export async function dropManifests(client: Queryable, runId: number): Promise<void> {
  await client.query('delete from pipeline.frozen_manifests where run_id = $1', [runId]);
}

/**
 * Freezes a manifest: first writer wins, and a frozen one never changes.
 *
 * @returns the manifest that is frozen now, which another worker may have frozen before
 */
export async function freezeManifest(
  pool: Pool,
  miner: MinerRow,
  manifest: FrozenManifest,
): Promise<FrozenManifest> {
  const { manifestHash, storePath, header, files, frozenAt } = manifest;
  await pool.query(
    `insert into pipeline.frozen_manifests (run_id, miner_uid, manifest_hash, store_path, header, files, frozen_at)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (run_id, miner_uid) do nothing`,
    [
      miner.runId,
      miner.uid,
      manifestHash,
      storePath,
      JSON.stringify(header),
      JSON.stringify(files),
      frozenAt,
    ],
  );
  return (await loadFrozenManifest(pool, miner)) ?? manifest;
}
