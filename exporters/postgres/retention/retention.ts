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
/** How long a writer may have to wait behind us for a lock that we do not get. */
const LOCK_TIMEOUT_MILLIS = 500;
/** Waits between the attempts to get the locks for one change, milliseconds. */
const RETRY_DELAYS = [100, 300, 900, 2700];
/** Lock not available, deadlock: somebody else was in the way. */
const HELD_UP = ['55P03', '40P01'];

/** How the partitions are kept. */
export interface MaintenanceOptions {
  readonly now: Date;
  readonly retention: Retention;
  /** Ends it before the next partition. */
  readonly signal?: AbortSignal;
}

/** What was done, by the names of the partitions. */
export interface Maintenance {
  readonly created: readonly string[];
  readonly dropped: readonly string[];
  /** Those that could not be locked in time; the next maintenance tries again. */
  readonly postponed: readonly string[];
}

/**
 * Makes the partitions of now and of what follows, and drops the whole partitions that are older than the retention.
 * Any number of maintainers and writers may be at work at once.
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
    if (outcome === 'held up') postponed.push(partition.name);
    else if (outcome) dropped.push(partition.name);
  }
  return { created, dropped, postponed };
}

/**
 * Makes this and the next partition of each table of the log, so that no writer has to.
 *
 * @returns the names of the new ones; one that could not be locked in time is made by the first writer that needs it
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

/** The partitions that end before what is kept, the oldest first. */
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

/** The instant at which a partition begins, from the date that its name ends in. */
function startOf(name: string): EpochMicros {
  const [, year, month, day] = /_(\d{4})(\d\d)(\d\d)$/.exec(name) ?? [];
  return Date.UTC(Number(year ?? 1970), Number(month ?? 1) - 1, Number(day ?? 1)) * 1000;
}

/**
 * Makes one change in a transaction that waits for each lock only so long: a waiter for a lock on a table makes
 * every later writer wait, too.
 */
async function withLockTimeout(
  pool: Pool,
  change: (client: ClientBase) => Promise<boolean>,
): Promise<boolean | 'held up'> {
  for (const delayMillis of [...RETRY_DELAYS, null]) {
    try {
      return await inTransaction(pool, async (client) => {
        await client.query(`set local lock_timeout = ${LOCK_TIMEOUT_MILLIS}`);
        return change(client);
      });
    } catch (error) {
      if (!(error instanceof Error) || !HELD_UP.includes(sqlStateOf(error) ?? '')) throw error;
    }
    if (delayMillis !== null) await wait(delayMillis);
  }
  return 'held up';
}

/**
 * Takes a partition out of the log for good, in the transaction of the caller. Reading what is archived holds up nobody
 * but a writer of this old partition; the locks that hold up every writer come last and are held for an instant.
 * `validators` goes before the table, as with every writer: dropping a foreign key locks both.
 *
 * @returns whether it was there; another maintainer may have been quicker
 */
async function dropPartition(client: ClientBase, partition: Partition): Promise<boolean> {
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
