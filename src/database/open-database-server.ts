import { CategorizedError } from '#semconv/error-categories';
import { parseConnectionTarget } from './connection-target.ts';
import type { DatabaseServer } from './database-server.ts';
import { startEmbeddedPostgres, type EmbeddedOptions } from './embedded.ts';

/** Where a server may come from. */
export interface DatabaseServerSource extends EmbeddedOptions {
  /** The value of `DATABASE_URL`; empty counts as absent. */
  readonly databaseUrl?: string | undefined;
  /** Where an embedded server keeps its rows. */
  readonly dataDirectory: string;
}

/**
 * Gets a server: the one of `DATABASE_URL` if it is set, else an embedded one, else an error that names both ways.
 *
 * A given server is used as it is and never replaced by an embedded one: rows would end up in two places.
 */
export async function openDatabaseServer(source: DatabaseServerSource): Promise<DatabaseServer> {
  const { databaseUrl = '', dataDirectory, ...options } = source;
  if (databaseUrl !== '') {
    parseConnectionTarget(databaseUrl);
    return { connectionString: databaseUrl, kind: 'given', stop: async () => Promise.resolve() };
  }
  try {
    return await startEmbeddedPostgres(dataDirectory, options);
  } catch (error) {
    if (error instanceof CategorizedError) throw error;
    throw new CategorizedError(
      'validator_internal',
      `DATABASE_URL is not set and the embedded PostgreSQL could not be prepared (${errorCode(error)}). ` +
        'Set DATABASE_URL to a PostgreSQL 15 or newer, or let this user write to the data directory.',
      { cause: error },
    );
  }
}

function errorCode(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? (error instanceof Error ? error.name : 'unknown');
}
