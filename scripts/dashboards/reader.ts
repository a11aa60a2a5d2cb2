import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pool } from 'pg';

/** The role with which Grafana reads. Roles belong to the server, not to a database. */
export const GRAFANA_READER = 'grafana_reader';

const SCRIPT = join(import.meta.dirname, '../../dashboards/provisioning/grafana-reader.sql');

/**
 * The grants of the role's script. The rest of the script assumes one database per server, while tests create the role
 * from many databases of one server concurrently.
 */
const GRANTS = readFileSync(SCRIPT, 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('grant '))
  .join('\n');

const CREATE = `
do $$
begin
  create role ${GRAFANA_READER};
exception
  when duplicate_object or unique_violation then null;
end $$;`;

/** Makes the role, unless the server has it, and lets it read this database. */
export async function allowReader(pool: Pool): Promise<void> {
  await pool.query(`${CREATE}\n${GRANTS}`);
}

/** A row of a result. */
export type Row = Readonly<Record<string, unknown>>;

/** The result of a query. */
export interface Answer {
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
  /** Milliseconds until the last row was received. */
  readonly millis: number;
}

/** Runs a query as Grafana does: with the read-only role. */
export async function askAsReader(pool: Pool, sql: string): Promise<Answer> {
  const client = await pool.connect();
  try {
    await client.query(`begin read only; set local role ${GRAFANA_READER}`);
    const before = performance.now();
    const { fields, rows } = await client.query<Record<string, unknown>>(sql);
    return { columns: fields.map(({ name }) => name), rows, millis: performance.now() - before };
  } finally {
    await client.query('rollback');
    client.release();
  }
}
