import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Pool, PoolClient } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { migrate } from '#database/migrate';
import { migrationsDirectory, readMigrationFiles } from '#database/migration-files';
import { migrateQueue } from '#pipeline/queue/worker';

/** A table and its rows, in the text format of `copy`. */
interface StoredTable {
  readonly name: string;
  readonly columns: readonly string[];
  readonly text: string;
}

/**
 * What a version left behind: the rows of its database and the files of a spool. The schema is not part of it, because
 * the migrations that made it never change; they are applied again up to `schemaVersion`.
 */
export interface StoredVersion {
  readonly commit: string;
  /** When it was made; tests take it as now, so that they do not grow old. */
  readonly madeAt: string;
  readonly schemaVersion: number;
  /** The statements that make the partitions. */
  readonly partitions: readonly string[];
  readonly tables: readonly StoredTable[];
  /** The last value of each sequence. */
  readonly sequences: Readonly<Record<string, number>>;
  /** The files of the spool of a process that was killed, in Base64, by their path below the folder of all spools. */
  readonly spool: Readonly<Record<string, string>>;
}

/** Relations of Barograph and of its queue; partitions are read through their tables. */
const OWN_TABLES = `
  select format('%I.%I', nspname, relname) as name,
    array(select attname::text from pg_attribute
      where attrelid = pg_class.oid and attnum > 0 and not attisdropped and attgenerated = '' order by attnum) as columns
  from pg_class join pg_namespace on pg_namespace.oid = relnamespace
  where nspname in ('public', 'pipeline') and relkind in ('r', 'p')
    and (not relispartition or relkind = 'p' or relname = 'weather_forecast_steps_running')
    and relname not in ('weather_forecast_steps', 'barograph_migrations', 'migrations')
  order by 1`;

const OWN_PARTITIONS = `
  select format('create table %s partition of %s %s', pg_class.oid::regclass, inhparent::regclass,
    pg_get_expr(relpartbound, pg_class.oid)) as statement
  from pg_class join pg_inherits on inhrelid = pg_class.oid
  where relispartition and relkind = 'r' and relname ~ '_\\d{8}$' order by 1`;

/** Reads the rows of a database that nobody writes to. */
export async function storeDatabase(
  pool: Pool,
): Promise<Pick<StoredVersion, 'schemaVersion' | 'partitions' | 'tables' | 'sequences'>> {
  const read = async <Row extends object>(sql: string): Promise<Row[]> => (await pool.query<Row>(sql)).rows;
  const [{ version } = { version: 0 }] = await read<{ version: number }>(
    'select max(version) as version from barograph_migrations',
  );
  const partitions = await read<{ statement: string }>(OWN_PARTITIONS);
  const sequences = await read<{ name: string; last: number }>(
    `select format('%I.%I', schemaname, sequencename) as name, last_value::float8 as last from pg_sequences
     where schemaname in ('public', 'pipeline') and last_value is not null order by 1`,
  );
  const tables: StoredTable[] = [];
  const client = await pool.connect();
  try {
    for (const table of await read<Omit<StoredTable, 'text'>>(OWN_TABLES))
      tables.push({ ...table, text: await copyOut(client, table) });
  } finally {
    client.release();
  }
  return {
    schemaVersion: version,
    partitions: partitions.map(({ statement }) => statement),
    tables: tables.filter(({ text }) => text !== ''),
    sequences: Object.fromEntries(sequences.map(({ name, last }) => [name, last])),
  };
}

const listed = (columns: readonly string[]): string => columns.map((name) => `"${name}"`).join(', ');

async function copyOut(client: PoolClient, { name, columns }: Omit<StoredTable, 'text'>): Promise<string> {
  const parts: Buffer[] = [];
  const stream = client.query(copyTo(`copy (select ${listed(columns)} from ${name}) to stdout`));
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

/** Makes an empty database the one that the version left. The user must be a superuser, as that of the tests is. */
export async function restoreDatabase(pool: Pool, stored: StoredVersion): Promise<void> {
  const directory = await migrationsUpTo(stored.schemaVersion);
  await migrate(pool, { directory }).finally(() => rm(directory, { recursive: true }));
  await migrateQueue(pool);
  const client = await pool.connect();
  try {
    await client.query('begin; set local session_replication_role = replica');
    for (const statement of stored.partitions) await client.query(statement);
    for (const { name, columns, text } of stored.tables) {
      await client.query(`delete from ${name}`);
      const copying = client.query(copyFrom(`copy ${name} (${listed(columns)}) from stdin`));
      await pipeline(Readable.from([Buffer.from(text)]), copying);
    }
    for (const [name, last] of Object.entries(stored.sequences))
      await client.query('select setval($1, $2)', [name, last]);
    await client.query('commit');
  } finally {
    client.release();
  }
}

/** A folder with the migrations that the version had. */
async function migrationsUpTo(version: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'barograph-migrations-'));
  for (const file of (await readMigrationFiles()).slice(0, version)) {
    const name = `${String(file.version).padStart(4, '0')}_${file.name}.sql`;
    await symlink(join(migrationsDirectory(), name), join(folder, name));
  }
  return folder;
}

/** Writes the files of the spool below a folder of all spools of a database. */
export async function restoreSpool(root: string, { spool }: StoredVersion): Promise<void> {
  for (const [path, content] of Object.entries(spool)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), Buffer.from(content, 'base64'));
  }
}

export async function readStoredVersion(path: string): Promise<StoredVersion> {
  return JSON.parse(gunzipSync(await readFile(path)).toString()) as StoredVersion;
}

export async function writeStoredVersion(path: string, stored: StoredVersion): Promise<void> {
  await writeFile(path, gzipSync(JSON.stringify(stored), { level: 9 }));
}
