import type { Pool } from 'pg';

import { readColumns } from './columns.ts';
import { renderRoutines, renderSequences, renderTypes } from './routines.ts';
import { renderTables } from './tables.ts';
import { renderViews } from './views.ts';

/** What is left out of a dump. */
export interface SchemaDumpOptions {
  /** Schemas that others own, such as the job queue's. */
  readonly omittedSchemas?: readonly string[];
  /** Tables that are made while the program runs, such as the partitions of a month. */
  readonly isOmittedTable?: (name: string) => boolean;
}

const HEADER = `-- The schema as the migrations leave it, for reading and for comparing. Generated: do not edit.`;

/**
 * Describes the schema as text: types, tables with columns, constraints, indexes, partitions and comments, views,
 * functions.
 *
 * Read from the catalogues and in the order of the names, so that it is the same for the same schema whatever the
 * order of the migrations and the major version of the server (15 to 18). It is for reading: to make a database, run
 * the migrations.
 */
export async function dumpSchema(pool: Pool, options: SchemaDumpOptions = {}): Promise<string> {
  const omitted = options.omittedSchemas ?? [];
  const columns = await readColumns(pool, omitted);
  const tables = await renderTables(pool, columns, omitted);
  const kept = tables.filter(({ name }) => options.isOmittedTable?.(name) !== true).map(({ text }) => text);
  const paragraphs = [
    HEADER,
    ...(await renderTypes(pool, omitted)),
    ...(await renderSequences(pool, omitted)),
    ...kept,
    ...(await renderViews(pool, columns, omitted)),
    ...(await renderRoutines(pool, omitted)),
  ];
  return `${paragraphs.join('\n\n')}\n`;
}
