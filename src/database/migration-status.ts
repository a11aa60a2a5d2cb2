import type { Pool, PoolClient } from 'pg';

import { CategorizedError } from '#semconv/error-categories';
import { readMigrationFiles, type MigrationFile } from './migration-files.ts';

/** A migration that was applied to a database. */
export interface AppliedMigration {
  readonly version: number;
  readonly name: string;
  readonly appliedAt: Date;
}

/** Schema version of a database relative to this program. */
export interface MigrationStatus {
  /** The version of the database; 0 is empty. */
  readonly current: number;
  /** The newest version that this program knows. */
  readonly latest: number;
  readonly applied: readonly AppliedMigration[];
  readonly pending: readonly Pick<MigrationFile, 'version' | 'name'>[];
}

/** Where the migrations are read from. */
export interface MigrationSource {
  readonly directory?: string;
  /** Waits before a migration that collided with a writer is tried again; the timers of the process unless given. */
  readonly pause?: (millis: number) => Promise<unknown>;
}

/** Compares the database's schema version with the program's; read-only. */
export async function migrationStatus(pool: Pool, source: MigrationSource = {}): Promise<MigrationStatus> {
  const files = await readMigrationFiles(source.directory);
  const applied = await readAppliedMigrations(pool);
  const current = applied.at(-1)?.version ?? 0;
  const pending = files
    .filter(({ version }) => version > current)
    .map(({ version, name }) => ({ version, name }));
  return { current, latest: files.length, applied, pending };
}

/**
 * The identity of the database, by which its metrics are told from those of another one.
 *
 * @returns null when it has none yet, because migrations are pending
 */
export async function readDatabaseId(connection: Pool | PoolClient): Promise<string | null> {
  const known = await connection.query<{ exists: boolean }>(
    `select to_regclass('database_identity') is not null as exists`,
  );
  if (known.rows[0]?.exists !== true) return null;
  const { rows } = await connection.query<{ id: string }>('select database_id as id from database_identity');
  return rows[0]?.id ?? null;
}

/** The applied migrations, in order; empty for a database that was never migrated. */
export async function readAppliedMigrations(connection: Pool | PoolClient): Promise<AppliedMigration[]> {
  const { rows: known } = await connection.query<{ exists: boolean }>(
    `select to_regclass('barograph_migrations') is not null as exists`,
  );
  if (known[0]?.exists !== true) return [];
  const { rows } = await connection.query<AppliedMigration>(
    `select version, name, applied_at as "appliedAt" from barograph_migrations order by version`,
  );
  return rows;
}

/**
 * Rejects a database whose history does not match this program's migrations.
 *
 * @throws CategorizedError when it is newer than the program, or when the name of a version differs.
 */
export function requireKnownHistory(
  applied: readonly AppliedMigration[],
  files: readonly MigrationFile[],
): void {
  const current = applied.at(-1)?.version ?? 0;
  if (current > files.length) {
    throw new CategorizedError(
      'validator_internal',
      `The database has schema version ${current}. Allowed: up to ${files.length}, the newest that this program knows. ` +
        'Start the newer program, or restore the database from before its migration.',
    );
  }
  const mismatch = applied.find(({ version, name }) => files[version - 1]?.name !== name);
  if (mismatch === undefined) return;
  throw new CategorizedError(
    'validator_internal',
    `The database calls schema version ${mismatch.version} "${mismatch.name}". ` +
      `Allowed: "${files[mismatch.version - 1]?.name ?? ''}", as this program does. ` +
      'It was migrated by another branch of the program: use that program, or another database.',
  );
}
