import type { Pool } from 'pg';
import { connectDatabase, settingsOf } from '#database/connect';
import { describeConnectionTarget } from '#database/connection-target';
import type { DatabaseServer } from '#database/database-server';
import { migrate } from '#database/migrate';
import { openDatabaseServer } from '#database/open-database-server';
import type { ResourceStack } from '#lifecycle/resource-stack';
import { systemScheduler } from '#lifecycle/scheduler';
import { DEFAULT_OPTIONS } from '#processor/processor-options';
import type { Config } from '../config.ts';
import { preparePartitions } from './partition-scheduler.ts';

/** A living server answers within this time, if only that the statement took too long: a batch takes a second or two. */
const STATEMENT_TIMEOUT_MILLIS = 60_000;
/** Longer than a statement may take: a server that is silent for so long is frozen, or out of reach. */
const SILENCE_TIMEOUT_MILLIS = 65_000;
/** Time beyond that of the flush that closing may take before every connection to the database is broken off. */
const CLOSE_GRACE_MILLIS = 1000;

/** Which database records, and what is told about it. */
export interface RecordingDatabaseOptions {
  readonly config: Config;
  /** Names the database, in place of the configuration. */
  readonly pool?: Pool;
  readonly flushTimeoutMillis?: number;
  readonly onProblem: (message: string) => void;
  /** Called with where it records, when nobody named a database. */
  readonly onEmbedded: (message: string) => void;
}

/** The database of a process that records, up to date. */
export interface RecordingDatabase {
  readonly pool: Pool;
  readonly server: DatabaseServer;
  /** Limits how long closing waits for its answers, from now on. */
  readonly breakOffLater: () => void;
}

/** Opens the database and brings it up to date. What it opens is added to the resources of the caller. */
export async function openDatabase(
  options: RecordingDatabaseOptions,
  add: ResourceStack['add'],
): Promise<RecordingDatabase> {
  const { config, onProblem, onEmbedded, flushTimeoutMillis = DEFAULT_OPTIONS.flushTimeoutMillis } = options;
  const given = options.pool === undefined ? null : settingsOf(options.pool);
  const server: DatabaseServer =
    given === null
      ? await openDatabaseServer(config)
      : { connectionString: given.connectionString, kind: 'given', stop: () => Promise.resolve() };
  add(() => server.stop());
  if (server.kind === 'embedded') {
    const found = `DATABASE_URL is not set: an embedded PostgreSQL in ${config.dataDirectory} records`;
    onEmbedded(`${found} (${describeConnectionTarget(server.connectionString)}).`);
  }
  const closing = new AbortController();
  const pool = await connectDatabase(server.connectionString, {
    applicationName: 'barograph-recorder',
    statementTimeoutMillis: STATEMENT_TIMEOUT_MILLIS,
    silenceTimeoutMillis: SILENCE_TIMEOUT_MILLIS,
    signal: closing.signal,
    onIdleError: (error) => onProblem(`A database connection was lost: ${error.message}`),
    ...(given !== null && { settings: given.settings }),
  });
  add(() => pool.end());
  await migrate(pool);
  await preparePartitions(pool);
  const breakOffLater = (): void => {
    systemScheduler.schedule(flushTimeoutMillis + CLOSE_GRACE_MILLIS, () => closing.abort());
  };
  return { pool, server, breakOffLater };
}
