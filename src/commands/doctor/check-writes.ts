import type { Pool } from 'pg';

/** A transaction that has been under way for long, of the sessions that record. */
export interface LongTransaction {
  readonly seconds: number;
  /** The wait event of the server, such as `Lock: tuple`; null while it works. */
  readonly waitsFor: string | null;
}

/** The applications whose transactions write what was recorded. */
const RECORDERS = ['barograph-recorder'];

const OLDEST = `
  select extract(epoch from clock_timestamp() - xact_start)::float8 as seconds,
    wait_event_type || ': ' || wait_event as "waitsFor"
  from pg_stat_activity
  where datname = current_database() and application_name = any ($1) and xact_start is not null
  order by xact_start limit 1`;

/** The oldest transaction of a recorder that has been under way for longer than so many seconds; null without one. */
async function oldestRecorderTransaction(
  pool: Pool,
  longerThanSeconds: number,
): Promise<LongTransaction | null> {
  const [oldest] = (await pool.query<LongTransaction>(OLDEST, [RECORDERS])).rows;
  return oldest !== undefined && oldest.seconds > longerThanSeconds ? oldest : null;
}

/** A batch is written within a second. */
const LONG_BATCH_SECONDS = 5;

/**
 * Whether the database takes what is recorded. While it is slow, or somebody locks its tables, records wait on disk.
 */
export async function examineWriting(
  pool: Pool,
  longBatchSeconds = LONG_BATCH_SECONDS,
): Promise<{ readonly ok: boolean; readonly found: string }> {
  const oldest = await oldestRecorderTransaction(pool, longBatchSeconds);
  if (oldest === null) return { ok: true, found: 'no recorder has been busy with one batch for long' };
  const wait = oldest.waitsFor === null ? '' : ` and waits for ${oldest.waitsFor}`;
  const found =
    `the database is slow: a recorder has been writing one batch for ${Math.round(oldest.seconds)} s${wait}; ` +
    'records wait on disk meanwhile. See pg_stat_activity for locks, and the disk of the server';
  return { ok: false, found };
}
