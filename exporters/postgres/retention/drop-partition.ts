import type { ClientBase } from 'pg';
import { hasPartition, lockPartitionsOf, STEP_PARTITIONS, type Partition } from '../log/partitions.ts';
import { timestamp } from '../sql-values.ts';
import { archiveSteps } from './archive.ts';

/**
 * Takes a partition out of the log for good, in the transaction of the caller. Reading what is archived holds up nobody
 * but a writer of this old partition; the locks that hold up every writer come last and are held for an instant.
 * `validators` goes before the table, as with every writer: dropping a foreign key locks both.
 *
 * @returns whether it was there; another maintainer may have been quicker
 */
export async function dropPartition(client: ClientBase, partition: Partition): Promise<boolean> {
  const { table, name } = partition;
  await client.query('select pg_advisory_xact_lock(hashtext($1))', [`retention of ${table}`]);
  if (!(await hasPartition(client, partition))) return false;
  await client.query(`lock table ${name} in share row exclusive mode`);
  if (table === STEP_PARTITIONS.table) await archiveSteps(client, name);
  await noteDropped(client, partition);
  await lockPartitionsOf(client, table);
  await client.query('lock table validators in access exclusive mode');
  await client.query(`alter table ${table} detach partition ${name}`);
  await client.query(`drop table ${name}`);
  return true;
}

/** A partition that was made again for a span known to be running may be dropped again. */
async function noteDropped(client: ClientBase, { table, name, from, to }: Partition): Promise<void> {
  await client.query(
    `insert into dropped_partitions (name, table_name, from_time, to_time, dropped_at) values ($1, $2, $3, $4, now())
     on conflict (name) do update set dropped_at = excluded.dropped_at`,
    [name, table, timestamp(from), timestamp(to)],
  );
}
