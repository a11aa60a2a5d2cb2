import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Measure } from '../harness/suite.ts';
import { findPsql } from './psql.ts';
import { emptyTables, requireRows } from './recorded-tables.ts';
import type { BenchDatabase } from './server.ts';

/** Rows that psql copies back into the table they came from. */
export interface CopiedRows {
  /** Copies them into the table, emptied before, with its partitions and indexes. Rows a second; NaN without psql. */
  readonly measure: Measure;
  readonly close: () => Promise<void>;
}

/** Keeps what a table holds now in a file of psql's own making. */
export async function copyRows(
  { connectionString, pool }: BenchDatabase,
  table: string,
  rows: number,
): Promise<CopiedRows> {
  const psql = await findPsql();
  if (psql === null) return { measure: () => NaN, close: () => Promise.resolve() };
  const directory = await mkdtemp(join(tmpdir(), 'barograph-copy-'));
  const file = join(directory, 'rows');
  await psql.copyOut(connectionString, table, file);
  return {
    measure: async () => {
      await emptyTables(pool, [table]);
      const millis = await psql.copyIn(connectionString, table, file);
      await requireRows(pool, table, rows);
      return (rows / millis) * 1000;
    },
    close: () => rm(directory, { recursive: true, force: true }),
  };
}
