import type { RunStatus } from '#semconv';
import type { Queryable } from '#database/transaction';

/**
 * Counts the leads of a miner that have not ended. A row lock on the miner serializes leads that end at the same time,
 * so exactly one of them counts 0.
 *
 * @returns leads without an end, and the revision of the miner
 */
export async function countOpenLeads(
  client: Queryable,
  { runId, minerUid }: { readonly runId: number; readonly minerUid: number },
): Promise<{ readonly open: number; readonly revision: number }> {
  const { rows: locked } = await client.query<{ revision: number }>(
    'select revision from pipeline.run_miners where run_id = $1 and miner_uid = $2 for no key update',
    [runId, minerUid],
  );
  const { rows } = await client.query<{ open: number }>(
    `select count(*)::int as open from pipeline.leads
     where run_id = $1 and miner_uid = $2 and state not in ('scored', 'failed')`,
    [runId, minerUid],
  );
  return { open: rows[0]?.open ?? 0, revision: locked[0]?.revision ?? 0 };
}

/**
 * Counts the miners of a run that have not ended. A row lock on the run serializes miners that end at the same time, so
 * exactly one of them counts 0.
 *
 * @returns miners without an end, and the status of the run
 */
export async function countOpenMiners(
  client: Queryable,
  runId: number,
): Promise<{ readonly open: number; readonly status: RunStatus | null }> {
  const { rows: locked } = await client.query<{ status: RunStatus }>(
    'select status from pipeline.runs where run_id = $1 for no key update',
    [runId],
  );
  const { rows } = await client.query<{ open: number }>(
    `select count(*)::int as open from pipeline.run_miners
     where run_id = $1 and state not in ('completed', 'failed')`,
    [runId],
  );
  return { open: rows[0]?.open ?? 0, status: locked[0]?.status ?? null };
}
