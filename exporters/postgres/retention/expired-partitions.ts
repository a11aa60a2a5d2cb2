import type { Pool } from 'pg';
import type { EpochMicros } from '#facts/step-fact';
import { LOG_TABLES, type Retention } from '#semconv';
import { type Partition, partitionAt, type PartitionedTable, PARTITIONS_OF } from '../log/partitions.ts';

const DAY = 86_400_000_000;

/** A partition that ended before the retention period of its table. */
export interface ExpiredPartition extends Partition {
  /** When it exceeded its retention. */
  readonly expiredAt: EpochMicros;
}

/** The clock and the retention by which partitions expire. */
export interface RetentionClock {
  readonly now: Date;
  readonly retention: Retention;
}

/** The expired partitions, oldest first in each table. */
export async function findExpired(
  pool: Pool,
  { now, retention }: RetentionClock,
): Promise<readonly ExpiredPartition[]> {
  const expired: ExpiredPartition[] = [];
  for (const name of LOG_TABLES) {
    const days = retention[name];
    if (days === undefined) continue;
    const partitions = await readPartitions(pool, PARTITIONS_OF[name]);
    expired.push(
      ...partitions
        .map((partition) => ({ ...partition, expiredAt: partition.to + days * DAY }))
        .filter(({ expiredAt }) => expiredAt <= now.getTime() * 1000),
    );
  }
  return expired;
}

async function readPartitions(pool: Pool, table: PartitionedTable): Promise<readonly Partition[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select relname as name from pg_inherits join pg_class on pg_class.oid = inhrelid
     where inhparent = $1::regclass order by relname`,
    [table.table],
  );
  return rows.flatMap(({ name }) => {
    const partition = partitionAt(table, startOf(name));
    return partition.name === name ? [partition] : [];
  });
}

/** The start of a partition, from the date at the end of its name. */
function startOf(name: string): EpochMicros {
  const [, year, month, day] = /_(\d{4})(\d\d)(\d\d)$/.exec(name) ?? [];
  return Date.UTC(Number(year ?? 1970), Number(month ?? 1) - 1, Number(day ?? 1)) * 1000;
}
