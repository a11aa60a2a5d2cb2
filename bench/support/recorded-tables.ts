import type { Pool } from 'pg';

/** Tables that the exporter does not write, or that others reference. */
const KEPT = ['barograph_migrations', 'error_categories', 'validators'];

/** Empties every table that recording writes; partitions and indexes stay. Ends with a checkpoint, see `emptyTables`. */
export async function emptyRecordedTables(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ name: string }>(
    `select relname as name from pg_class
     where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
       and relname <> all ($1)`,
    [KEPT],
  );
  await emptyTables(
    pool,
    rows.map(({ name }) => name),
  );
}

/** Empties tables and forces a checkpoint, so that no measurement pays for the dirty pages of another. */
export async function emptyTables(pool: Pool, tables: readonly string[]): Promise<void> {
  await pool.query(`truncate ${tables.join(', ')}`);
  await settle(pool);
}

/** A role without the right to checkpoint measures without one. */
export async function settle(pool: Pool): Promise<void> {
  await pool.query('checkpoint').catch(() => undefined);
}

/** @throws Error when a table does not hold exactly so many rows */
export async function requireRows(pool: Pool, from: string, expected: number): Promise<void> {
  const { rows } = await pool.query<{ count: number }>(`select count(*)::float8 as count from ${from}`);
  const count = rows[0]?.count;
  if (count !== expected) throw new Error(`${from} holds ${String(count)} rows; expected: ${expected}.`);
}
