import { CategorizedError } from '#semconv/error-categories';
import { parseConnectionTarget } from './connection-target.ts';
import type { DatabaseServer } from './database-server.ts';
import { startEmbeddedPostgres, type EmbeddedOptions } from './embedded.ts';
import { isError } from '#semconv/message-of';

/** Sources of a server. */
export interface DatabaseServerSource extends EmbeddedOptions {
  /** The value of `DATABASE_URL`; empty counts as absent. */
  readonly databaseUrl?: string | undefined;
  /** Data directory of an embedded server. */
  readonly dataDirectory: string;
}

/**
 * Opens a server: the one of `DATABASE_URL` if it is set, else an embedded one, else fails with an error that names
 * both.
 *
 * No fallback: an unreachable `DATABASE_URL` is never replaced by an embedded server, which would split the rows.
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
  return (error as NodeJS.ErrnoException).code ?? (isError(error) ? error.name : 'unknown');
}
