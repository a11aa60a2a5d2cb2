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

/** The migrations that belong to this program; the build copies them beside the compiled module. */
export const MIGRATIONS_DIRECTORY = fileURLToPath(new URL('./migrations/', import.meta.url));

const FILE_NAME = /^(\d{4})_([a-z0-9_]+)\.sql$/;

/**
 * Reads the migrations of a folder, in order. Files that do not end in `.sql` are not migrations.
 *
 * @throws CategorizedError when a name does not match, or a number is missing or repeated.
 */
export async function readMigrationFiles(directory: string): Promise<MigrationFile[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.sql')).sort();
  const files = await Promise.all(names.map((name) => readMigrationFile(directory, name)));
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

async function readMigrationFile(directory: string, fileName: string): Promise<MigrationFile> {
  const [, version, name] = FILE_NAME.exec(fileName) ?? [];
  if (version === undefined || name === undefined) {
    throw migrationError(
      `Got the file ${fileName}. Allowed: NNNN_name.sql in small letters, as 0001_first_step.sql. Rename it`,
    );
  }
  return { version: Number(version), name, sql: await readFile(`${directory}/${fileName}`, 'utf8') };
}

function migrationError(problem: string): CategorizedError {
  return new CategorizedError('validator_internal', `The migrations are not in order. ${problem}.`);
}
