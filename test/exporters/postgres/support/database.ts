import type { Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { createPostgresExporter } from '#postgres/exporter';
import type { ObservedSpan } from '#facts/observed-span';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';
import { emptyTables } from '#test/support/tables';

/**
 * One migrated database for the tests of a file: created before the first of them and dropped after the last. Call it
 * once, at the top level of the file.
 */
export function useTestDatabase({ isEmptiedBeforeEach = false } = {}): Pick<TestDatabase, 'pool'> {
  let database: TestDatabase | undefined;
  const created = (): TestDatabase => {
    if (database === undefined) throw new Error('The test database is there only while the tests run.');
    return database;
  };
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => created().drop());
  if (isEmptiedBeforeEach) beforeEach(() => emptyTables(created().pool));
  return {
    get pool() {
      return created().pool;
    },
  };
}

/** Writes batches of spans one after the other, each of which has to succeed. */
export async function writeBatches(pool: Pool, batches: readonly (readonly ObservedSpan[])[]): Promise<void> {
  const exporter = createPostgresExporter({ pool });
  for (const batch of batches) expect(await exporter.exportObserved(batch)).toEqual({ kind: 'written' });
}

/** The rows of a query. */
export async function queryRows<Row extends object = Record<string, unknown>>(
  pool: Pool,
  sql: string,
  values: unknown[] = [],
): Promise<readonly Row[]> {
  return (await pool.query<Row>(sql, values)).rows;
}
