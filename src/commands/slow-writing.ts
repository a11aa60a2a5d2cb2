import type { Pool } from 'pg';
import { oldestRecorderTransaction } from '#database/long-waits';

/** A batch is written within a second. */
const LONG_BATCH_SECONDS = 5;

/** Whether the database takes what is recorded. While it is slow, or somebody locks its tables, records wait on disk. */
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
