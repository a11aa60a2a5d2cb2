import { setTimeout as wait } from 'node:timers/promises';
import type { ClientBase, Pool } from 'pg';
import { inTransaction } from '#database/transaction';
import type { EpochMicros } from '#facts/step-fact';
import { LOG_TABLES, type Retention } from '#semconv';
import { sqlStateOf } from '../sql/database-error.ts';
import {
  createPartition,
  hasPartition,
  lockPartitionsOf,
  type Partition,
  partitionAt,
  type PartitionedTable,
  PARTITIONS_OF,
  STEP_PARTITIONS,
} from '../log/partitions.ts';
import { timestamp } from '../sql/sql-values.ts';
import { archiveSteps } from './archive.ts';

const DAY = 86_400_000_000;
/** Upper bound for a lock wait, since writers queue behind a waiting lock request. */
const LOCK_TIMEOUT_MILLIS = 500;
/** Backoff between the attempts at one change, milliseconds. */
const RETRY_DELAYS = [100, 300, 900, 2700];
/** SQLSTATE of lock not available and deadlock detected. */
const LOCK_FAILURES = ['55P03', '40P01'];

/** Clock, retention and end of one maintenance. */
export interface MaintenanceOptions {
  readonly now: Date;
  readonly retention: Retention;
  /** Aborts before the next partition. */
  readonly signal?: AbortSignal;
}

/** The result, as names of partitions. */
export interface Maintenance {
  readonly created: readonly string[];
  readonly dropped: readonly string[];
  /** Partitions whose locks timed out; the next maintenance retries them. */
  readonly postponed: readonly string[];
}

/**
 * Creates the current and next partitions, and drops those that ended before the retention period. Safe with any number
 * of concurrent maintainers and writers.
 */
export async function maintainPartitions(
  pool: Pool,
  { now, retention, signal }: MaintenanceOptions,
): Promise<Maintenance> {
  const created = await createPartitionsAhead(pool, now);
  const dropped: string[] = [];
  const postponed: string[] = [];
  for (const partition of await findExpired(pool, now, retention)) {
    if (signal?.aborted === true) break;
    const outcome = await withLockTimeout(pool, (client) => dropPartition(client, partition));
    if (outcome === 'lock timeout') postponed.push(partition.name);
    else if (outcome) dropped.push(partition.name);
  }
  return { created, dropped, postponed };
}

/**
 * Creates the current and the next partition of each table of the log ahead of time, off the write path.
 *
 * @returns the names of the new partitions; where the locks time out, the first writer that needs one creates it
 */
export async function createPartitionsAhead(pool: Pool, now: Date): Promise<readonly string[]> {
  const created: string[] = [];
  for (const table of LOG_TABLES.map((name) => PARTITIONS_OF[name])) {
    for (const ahead of [0, 1]) {
      const partition = partitionAt(table, now.getTime() * 1000 + ahead * table.days * DAY);
      const outcome = await withLockTimeout(pool, (client) => createPartition(client, partition));
      if (outcome === true) created.push(partition.name);
    }
  }
  return created;
}

/** The partitions that ended before the retention period, oldest first in each table. */
async function findExpired(pool: Pool, now: Date, retention: Retention): Promise<readonly Partition[]> {
  const expired: Partition[] = [];
  for (const name of LOG_TABLES) {
    const days = retention[name];
    if (days === undefined) continue;
    const oldest = now.getTime() * 1000 - days * DAY;
    expired.push(...(await readPartitions(pool, PARTITIONS_OF[name])).filter(({ to }) => to <= oldest));
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

/**
 * Runs one change in a transaction with a lock timeout, with backoff between attempts. A request that waits for a
 * strong table lock blocks every later writer, so it must not wait long.
 */
async function withLockTimeout(
  pool: Pool,
  change: (client: ClientBase) => Promise<boolean>,
): Promise<boolean | 'lock timeout'> {
  for (const delayMillis of [...RETRY_DELAYS, null]) {
    try {
      return await inTransaction(pool, async (client) => {
        await client.query(`set local lock_timeout = ${LOCK_TIMEOUT_MILLIS}`);
        return change(client);
      });
    } catch (error) {
      if (!(error instanceof Error) || !LOCK_FAILURES.includes(sqlStateOf(error) ?? '')) throw error;
    }
    if (delayMillis !== null) await wait(delayMillis);
  }
  return 'lock timeout';
}

/**
 * Archives and drops a partition, in the transaction of the caller. Archiving blocks only writers of this old
 * partition; the locks that block every writer come last and are held briefly. Lock order as in every writer:
 * `validators` before the table, since dropping a foreign key locks both.
 *
 * @returns false when another maintainer has dropped it already
 */
async function dropPartition(client: ClientBase, partition: Partition): Promise<boolean> {
  const { table, name } = partition;
  await client.query('select pg_advisory_xact_lock(hashtext($1))', [`retention of ${table}`]);
  if (!(await hasPartition(client, partition))) return false;
  await client.query(`lock table ${name} in share row exclusive mode`);
  if (table === STEP_PARTITIONS.table) await archiveSteps(client, name);
  await recordDroppedPartition(client, partition);
  await lockPartitionsOf(client, table);
  await client.query('lock table validators in access exclusive mode');
  await client.query(`alter table ${table} detach partition ${name}`);
  await client.query(`drop table ${name}`);
  return true;
}

/** Upsert, since a partition that was created again for a known span is dropped a second time. */
async function recordDroppedPartition(
  client: ClientBase,
  { table, name, from, to }: Partition,
): Promise<void> {
  await client.query(
    `insert into dropped_partitions (name, table_name, from_time, to_time, dropped_at) values ($1, $2, $3, $4, now())
     on conflict (name) do update set dropped_at = excluded.dropped_at`,
    [name, table, timestamp(from), timestamp(to)],
  );
}
