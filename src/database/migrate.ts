import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';

import { CategorizedError } from '#semconv/error-categories';
import { messageOf } from '#semconv/message-of';
import { codeOf } from './connection-error.ts';
import { readMigrationFiles, type MigrationFile } from './migration-files.ts';
import { readAppliedMigrations, requireKnownHistory, type MigrationSource } from './migration-status.ts';
import { inTransaction } from './transaction.ts';

/** What a call of {@link migrate} did. */
export interface MigrationResult {
  /** The version of the database now. */
  readonly version: number;
  /** What this call applied; concurrent migrators report their own part. */
  readonly applied: readonly Pick<MigrationFile, 'version' | 'name'>[];
}

/** The key of the advisory lock that all migrators of a database share: "baro" in ASCII. */
const LOCK_KEY = 0x6261726f;

/** SQLSTATE of a deadlock and of a lock that is not available: a living writer had the locks, and another attempt may get them. */
const COLLISIONS = ['40P01', '55P03'];
/** Pauses before the further attempts of a migration that collided: a writer holds its locks for a batch, seconds at most. */
const RETRY_PAUSES_MILLIS = [100, 500, 2000, 5000];

/**
 * Brings the database to the newest version that this program knows. Goes forward only.
 *
 * Each migration is one transaction, with its row in `barograph_migrations`: it is applied completely or not at all.
 * Any number of programs may call this at once: the lock is held by the transaction, so one applies while the others
 * wait and then find nothing to do, and a killed migrator leaves nothing behind. One that collides with a living writer
 * is tried again, five times in all.
 *
 * @throws CategorizedError when a migration fails (naming it and the line) or the database is newer than the program.
 *
 * @example
 * ```ts
 * import { connectDatabase, migrate } from 'barograph';
 *
 * const { applied } = await migrate(await connectDatabase('postgres://localhost/weather'));
 * console.log(`${applied.length} migrations applied`);
 * ```
 */
export async function migrate(pool: Pool, source: MigrationSource = {}): Promise<MigrationResult> {
  const files = await readMigrationFiles(source.directory);
  const applied: Pick<MigrationFile, 'version' | 'name'>[] = [];
  for (;;) {
    // Waiting for the lock and rewriting a large table may take longer than an ordinary statement is allowed.
    const next = await retryCollisions(
      () => inTransaction(pool, (client) => applyNext(client, files), { isLong: true }),
      source.pause,
    );
    if (next === undefined) return { version: files.length, applied };
    applied.push({ version: next.version, name: next.name });
  }
}

async function retryCollisions<Result>(
  attempt: () => Promise<Result>,
  pause: (millis: number) => Promise<unknown> = sleep,
): Promise<Result> {
  for (const millis of RETRY_PAUSES_MILLIS) {
    try {
      return await attempt();
    } catch (error) {
      const code = codeOf(error instanceof CategorizedError ? error.cause : error);
      if (code === undefined || !COLLISIONS.includes(code)) throw error;
    }
    await pause(millis);
  }
  return attempt();
}

/** @returns the migration that was applied; undefined when the database is as new as the program. */
async function applyNext(
  client: PoolClient,
  files: readonly MigrationFile[],
): Promise<MigrationFile | undefined> {
  await client.query('select pg_advisory_xact_lock($1)', [LOCK_KEY]);
  const done = await readAppliedMigrations(client);
  requireKnownHistory(done, files);
  const next = files[done.at(-1)?.version ?? 0];
  if (done.length === 0) await createMigrationTable(client);
  if (next !== undefined) await applyMigration(client, next);
  return next;
}

/** Version row first: a migration that was applied without the lock violates the key here, before any change. */
async function applyMigration(client: PoolClient, { version, name, sql }: MigrationFile): Promise<void> {
  await client.query(`insert into barograph_migrations (version, name) values ($1, $2)`, [version, name]);
  try {
    await client.query(sql);
  } catch (error) {
    throw migrationFailure({ version, name, sql }, error);
  }
}

async function createMigrationTable(client: PoolClient): Promise<void> {
  await client.query(`
    create table if not exists barograph_migrations (
      version int primary key,
      name text not null,
      applied_at timestamptz not null default now()
    );
    comment on table barograph_migrations is 'Which migrations this database has been through; written by migrate alone.';
    comment on column barograph_migrations.version is 'Number of the migration, 1 for the first.';
    comment on column barograph_migrations.name is 'Name of the migration file without number and ending.';
    comment on column barograph_migrations.applied_at is 'When the migration was committed.';
  `);
}

function migrationFailure(migration: MigrationFile, cause: unknown): CategorizedError {
  const file = `${String(migration.version).padStart(4, '0')}_${migration.name}.sql`;
  const reason = messageOf(cause);
  return new CategorizedError(
    'validator_internal',
    `The migration ${file} failed${lineOf(migration.sql, cause)}: ${reason}. ` +
      'It was rolled back. Correct the cause and migrate again.',
    { cause },
  );
}

/** The driver reports the position of an error as a character offset, counted from 1. */
function lineOf(sql: string, error: unknown): string {
  const position = Number((error as { position?: string }).position);
  return position > 0 ? ` in line ${sql.slice(0, position).split('\n').length}` : '';
}
