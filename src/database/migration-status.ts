import type { Pool, PoolClient } from 'pg';

import { CategorizedError } from '#semconv/error-categories';
import { MIGRATIONS_DIRECTORY, readMigrationFiles, type MigrationFile } from './migration-files.ts';

/** A migration that a database has been through. */
export interface AppliedMigration {
  readonly version: number;
  readonly name: string;
  readonly appliedAt: Date;
}

/** How far a database is, seen from this program. */
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
}

/** Says how far a database is; changes nothing. */
export async function migrationStatus(pool: Pool, source: MigrationSource = {}): Promise<MigrationStatus> {
  const files = await readMigrationFiles(source.directory ?? MIGRATIONS_DIRECTORY);
  const applied = await readAppliedMigrations(pool);
  const current = applied.at(-1)?.version ?? 0;
  const pending = files
    .filter(({ version }) => version > current)
    .map(({ version, name }) => ({ version, name }));
  return { current, latest: files.length, applied, pending };
}

/** What the database has been through, in order; nothing when it was never migrated. */
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
 * Refuses a database that this program cannot have made.
 *
 * @throws CategorizedError when it is newer than the program, or when a version has another name there than here.
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
  const stranger = applied.find(({ version, name }) => files[version - 1]?.name !== name);
  if (stranger === undefined) return;
  throw new CategorizedError(
    'validator_internal',
    `The database calls schema version ${stranger.version} "${stranger.name}". ` +
      `Allowed: "${files[stranger.version - 1]?.name ?? ''}", as this program does. ` +
      'It was migrated by another line of development: use its program, or another database.',
  );
}
