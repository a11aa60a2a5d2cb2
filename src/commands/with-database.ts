import type { Pool } from 'pg';
import { readConfig, type Config } from '../config.ts';
import { connectDatabase } from '#database/connect';
import { openDatabaseServer } from '#database/open-database-server';

/** The database that the environment names, open for one command. */
export interface OpenDatabase {
  readonly pool: Pool;
  readonly config: Config;
  /** With the password in it. */
  readonly connectionString: string;
  readonly kind: 'given' | 'embedded';
}

/** Runs `work` with an open database, and closes the database however the work ends. */
export async function withDatabase<Result>(
  work: (database: OpenDatabase) => Promise<Result>,
): Promise<Result> {
  const config = readConfig(process.env);
  const server = await openDatabaseServer(config);
  try {
    const { connectionString, kind } = server;
    const pool = await connectDatabase(connectionString, { applicationName: 'barograph-command' });
    try {
      return await work({ pool, config, connectionString, kind });
    } finally {
      await pool.end();
    }
  } finally {
    await server.stop();
  }
}
