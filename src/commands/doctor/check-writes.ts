import type { Pool } from 'pg';

/** A long transaction of a recorder's session. */
export interface LongTransaction {
  readonly seconds: number;
  /** The wait event of the server, such as `Lock: tuple`; null while it works. */
  readonly waitsFor: string | null;
}

/** Values of `application_name` whose transactions write batches. */
const RECORDERS = ['barograph-recorder'];

const OLDEST = `
  select extract(epoch from clock_timestamp() - xact_start)::float8 as seconds,
    wait_event_type || ': ' || wait_event as "waitsFor"
  from pg_stat_activity
  where datname = current_database() and application_name = any ($1) and xact_start is not null
  order by xact_start limit 1`;

/** The oldest transaction of a recorder that is older than `longerThanSeconds`; null when there is none. */
async function oldestRecorderTransaction(
  pool: Pool,
  longerThanSeconds: number,
): Promise<LongTransaction | null> {
  const [oldest] = (await pool.query<LongTransaction>(OLDEST, [RECORDERS])).rows;
  return oldest !== undefined && oldest.seconds > longerThanSeconds ? oldest : null;
}

/** Well above the normal case: a batch is written within a second. */
const LONG_BATCH_SECONDS = 5;

/** Checks whether batches commit in time. While the database is slow, or its tables are locked, records wait on disk. */
export async function checkWrites(
  pool: Pool,
  longBatchSeconds = LONG_BATCH_SECONDS,
): Promise<{ readonly ok: boolean; readonly found: string }> {
  const oldest = await oldestRecorderTransaction(pool, longBatchSeconds);
  if (oldest === null) return { ok: true, found: 'no recorder is slow to write a batch' };
  const wait = oldest.waitsFor === null ? '' : ` and waits for ${oldest.waitsFor}`;
  const found =
    `the database is slow: a recorder has been writing one batch for ${Math.round(oldest.seconds)} s${wait}; ` +
    'records wait on disk meanwhile. See pg_stat_activity for locks, and the disk of the server';
  return { ok: false, found };
}
