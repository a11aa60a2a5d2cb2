import type { ClientBase, Pool } from 'pg';
import type { CommittedMinerStats, MinerStatsRead } from '#facts/miner-stats';
import { snapshotVisibility } from './snapshot-visibility.ts';
import { SELECT_MINER_STATS } from './read-miner-stats.ts';

/** Without any miner the result is one row that holds only the snapshot and the identity of the database. */
type Row = (CommittedMinerStats | { readonly rowVersion: null }) & {
  readonly snapshot: string;
  readonly databaseId: string | null;
};

/**
 * Rows of `miner_stats` changed within `quietMicros` before the newest change of their validator, with the snapshot's
 * visibility.
 */
export async function readActiveMiners(
  client: ClientBase | Pool,
  { quietMicros }: { readonly quietMicros: number },
): Promise<MinerStatsRead> {
  const { rows } = await client.query<Row>(
    `select ${SELECT_MINER_STATS}, snapshot, "databaseId"
     from (
       select pg_current_snapshot()::text as snapshot, (select database_id from database_identity) as "databaseId"
     ) as taken
     left join (
       miner_stats join (
         select validator_id, max(updated_at) - make_interval(secs => $1) as since from miner_stats
         group by validator_id
       ) as active using (validator_id)
     ) on updated_at >= since`,
    [quietMicros / 1e6],
  );
  const parts = rows.map(({ snapshot, databaseId, ...row }) => ({ snapshot, databaseId, row }));
  return {
    databaseId: parts[0]?.databaseId ?? undefined,
    rows: parts.flatMap(({ row }) => (row.rowVersion === null ? [] : [row])),
    hasSeen: snapshotVisibility(parts[0]?.snapshot ?? ''),
  };
}
