import type { Pool } from 'pg';

/** The role with which Grafana reads; one of a server, whatever its databases. */
export const GRAFANA_READER = 'grafana_reader';

/** What docs/operating.md says to grant: to read the recorded tables and views, and nothing else. */
const GRANTS = `
grant usage on schema public to ${GRAFANA_READER};
grant select on all tables in schema public to ${GRAFANA_READER};
alter role ${GRAFANA_READER} set default_transaction_read_only = on`;

/** Makes the role unless another test has, and lets it read this database. */
export async function allowReader(pool: Pool): Promise<void> {
  const client = await pool.connect();
  try {
    // Roles belong to the server: two tests must not make it at the same time.
    await client.query(`begin; select pg_advisory_xact_lock(hashtext('${GRAFANA_READER}'))`);
    const { rows } = await client.query('select from pg_roles where rolname = $1', [GRAFANA_READER]);
    if (rows.length === 0) await client.query(`create role ${GRAFANA_READER}`);
    await client.query(GRANTS);
    await client.query('commit');
  } finally {
    client.release();
  }
}

/** A row of an answer. */
export type Row = Readonly<Record<string, unknown>>;

/** What a query gave. */
export interface Answer {
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
  /** Milliseconds until the last row had come. */
  readonly millis: number;
}

/** Runs a query as Grafana does: as the reader, who may write nothing. */
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
