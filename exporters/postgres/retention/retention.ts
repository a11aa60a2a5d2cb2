import { setTimeout as wait } from 'node:timers/promises';
import type { ClientBase, Pool } from 'pg';
import { inTransaction } from '#database/transaction';
import type { HeldPartition, HoldingRun } from '#facts/pipeline-state';
import { LOG_TABLES } from '#semconv';
import { sqlStateOf } from '../sql/database-error.ts';
import {
  createPartition,
  hasPartition,
  lockPartitionsOf,
  type Partition,
  partitionAt,
  PARTITIONS_OF,
  STEP_PARTITIONS,
} from '../log/partitions.ts';
import { timestamp } from '../sql/sql-values.ts';
import { archiveSteps } from './archive.ts';
import { type ExpiredPartition, findExpired, type RetentionClock } from './expired-partitions.ts';
import { readHoldingRuns, toHeldPartition } from './holding-runs.ts';
import { isError } from '#semconv/message-of';

const DAY = 86_400_000_000;
/** Upper bound for a lock wait, since writers queue behind a waiting lock request. */
const LOCK_TIMEOUT_MILLIS = 500;
/** Backoff between the attempts at one change, milliseconds. */
const RETRY_DELAYS = [100, 300, 900, 2700];
/** SQLSTATE of lock not available and deadlock detected. */
const LOCK_FAILURES = ['55P03', '40P01'];

/** Clock, retention and end of one maintenance. */
export interface MaintenanceOptions extends RetentionClock {
  /** Aborts before the next partition. */
  readonly signal?: AbortSignal;
}

/** The result; partitions by their names. */
export interface Maintenance {
  readonly created: readonly string[];
  readonly dropped: readonly string[];
  /** Partitions whose locks timed out; the next maintenance retries them. */
  readonly postponed: readonly string[];
  /** Partitions that are kept beyond their retention, for runs that have not ended. */
  readonly held: readonly HeldPartition[];
}

/**
 * Creates the current and next partitions, and drops those that ended before the retention period, each by itself and
 * not while it holds rows of a run that has not ended. Safe with any number of concurrent maintainers and writers.
 */
export async function maintainPartitions(pool: Pool, options: MaintenanceOptions): Promise<Maintenance> {
  const { now, signal } = options;
  const created = await createPartitionsAhead(pool, now);
  const dropped: string[] = [];
  const postponed: string[] = [];
  const held: HeldPartition[] = [];
  for (const partition of await findExpired(pool, options)) {
    if (signal?.aborted === true) break;
    const outcome = await withLockTimeout(pool, (client) => dropPartition(client, partition, now));
    if (outcome === 'lock timeout') postponed.push(partition.name);
    else if (outcome === 'dropped') dropped.push(partition.name);
    else if (outcome !== 'gone') held.push(toHeldPartition(partition, outcome));
  }
  return { created, dropped, postponed, held };
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

/**
 * Runs one change in a transaction with a lock timeout, with backoff between attempts. A request that waits for a
 * strong table lock blocks every later writer, so it must not wait long.
 */
async function withLockTimeout<Result>(
  pool: Pool,
  change: (client: ClientBase) => Promise<Result>,
): Promise<Result | 'lock timeout'> {
  const changeInTime = async (client: ClientBase): Promise<Result> => {
    await client.query(`set local lock_timeout = ${LOCK_TIMEOUT_MILLIS}`);
    return change(client);
  };
  for (const delayMillis of [...RETRY_DELAYS, null]) {
    try {
      return await inTransaction(pool, changeInTime, { isLong: true });
    } catch (error) {
      if (!isError(error) || !LOCK_FAILURES.includes(sqlStateOf(error) ?? '')) throw error;
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
 * Double-checked: the first look spares the writers of a partition that is kept the lock, the second one sees what they
 * committed before it was granted.
 *
 * @returns the runs for which it is kept; `gone` when another maintainer has dropped it already
 */
async function dropPartition(
  client: ClientBase,
  partition: ExpiredPartition,
  now: Date,
): Promise<'dropped' | 'gone' | readonly HoldingRun[]> {
  const { table, name } = partition;
  await client.query('select pg_advisory_xact_lock(hashtext($1))', [`retention of ${table}`]);
  if (!(await hasPartition(client, partition))) return 'gone';
  const holding = await readHoldingRuns(client, partition, now);
  if (holding.length > 0) return holding;
  await client.query(`lock table ${name} in share row exclusive mode`);
  const arrived = await readHoldingRuns(client, partition, now);
  if (arrived.length > 0) return arrived;
  if (table === STEP_PARTITIONS.table) await archiveSteps(client, name);
  await recordDroppedPartition(client, partition);
  await lockPartitionsOf(client, table);
  await client.query('lock table validators in access exclusive mode');
  await client.query(`alter table ${table} detach partition ${name}`);
  await client.query(`drop table ${name}`);
  return 'dropped';
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
