import { readFile, readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { CategorizedError } from '#semconv/error-categories';

/** One migration: from a schema version to the next. */
export interface MigrationFile {
  /** 1 for the first; without gaps. */
  readonly version: number;
  /** What it does, from the file name `NNNN_name.sql`. */
  readonly name: string;
  readonly sql: string;
}

const FILE_NAME = /^(\d{4})_([a-z0-9_]+)\.sql$/;

/**
 * The migrations of this program by file name. Null in the sources, where their folder is read; `scripts/build.mjs` puts the
 * texts in, so that the package can be inside a bundle, which has no folder beside it.
 */
const BUILT_IN_MIGRATIONS = null as Readonly<Record<string, string>> | null;

/** The migrations that belong to this program; a function, since a bundle may know no place of its modules. */
export const migrationsDirectory = (): string => fileURLToPath(new URL('./migrations/', import.meta.url));

/**
 * Reads the migrations of a folder, or those of this program, in order. Files that do not end in `.sql` are none.
 *
 * @throws CategorizedError when a name does not match, or a number is missing or repeated.
 */
export async function readMigrationFiles(directory?: string): Promise<MigrationFile[]> {
  const texts =
    directory === undefined && BUILT_IN_MIGRATIONS !== null
      ? Object.entries(BUILT_IN_MIGRATIONS)
      : await readTexts(directory ?? migrationsDirectory());
  const files = texts.map(([fileName, sql]) => toMigrationFile(fileName, sql));
  files.forEach(({ version }, index) => {
    if (version !== index + 1) {
      throw migrationError(
        `Got version ${version} where ${index + 1} belongs. Allowed: 1, 2, 3, … without gap or repetition. ` +
          'Renumber the file that is not yet released',
      );
    }
  });
  return files;
}

async function readTexts(directory: string): Promise<[string, string][]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(
    names.map(async (name) => [name, await readFile(`${directory}/${name}`, 'utf8')] as [string, string]),
  );
}

function toMigrationFile(fileName: string, sql: string): MigrationFile {
  const [, version, name] = FILE_NAME.exec(fileName) ?? [];
  if (version === undefined || name === undefined) {
    throw migrationError(
      `Got the file ${fileName}. Allowed: NNNN_name.sql in small letters, as 0001_first_step.sql. Rename it`,
    );
  }
  return { version: Number(version), name, sql };
}

function migrationError(problem: string): CategorizedError {
  return new CategorizedError('validator_internal', `The migrations are not in order. ${problem}.`);
}
