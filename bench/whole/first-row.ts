import { spawn, type ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { z } from 'zod';

/** Interval of connection attempts and queries, milliseconds. */
const LOOK_MILLIS = 3;
/** Time-out of a start, milliseconds. */
const PATIENCE_MILLIS = 60_000;

const serverState = z.object({ password: z.string(), port: z.number() });

/** A program that records into an embedded database. */
export interface RecordingProgram {
  readonly command: string;
  readonly args: readonly string[];
  /** Where the embedded database lies. */
  readonly dataDirectory: string;
}

/**
 * Starts a program, and ends it once its first row is there.
 *
 * The row is polled from outside, by another connection, as a user would: when it is found it is committed and visible.
 * Polling shares the machine, so its cost is part of the time.
 *
 * @returns milliseconds from the start of the process to that row
 */
export async function millisToFirstRow(program: RecordingProgram): Promise<number> {
  const begin = performance.now();
  const startedAt = new Date();
  const child = spawn(program.command, program.args, {
    env: {
      ...process.env,
      DATABASE_URL: '',
      BAROGRAPH_DATA_DIR: program.dataDirectory,
      BAROGRAPH_METRICS_PORT: '0',
    },
    stdio: 'ignore',
    // A separate process group, so that a signal reaches npm and its children, as Ctrl-C in a terminal does.
    detached: true,
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  try {
    const deadline = begin + PATIENCE_MILLIS;
    const client = await connect(program.dataDirectory, { child, deadline });
    await untilRow(client, { startedAt, child, deadline });
    const millis = performance.now() - begin;
    await client.end();
    return millis;
  } finally {
    end(child);
    await ended;
  }
}

interface Wait {
  readonly child: ChildProcess;
  /** By the monotonic clock, milliseconds. */
  readonly deadline: number;
}

/** Connects as soon as the server accepts it; until then the file, the port or the database is missing. */
async function connect(dataDirectory: string, wait: Wait): Promise<pg.Client> {
  for (;;) {
    const client = await tryToConnect(dataDirectory);
    if (client !== null) return client;
    await look(wait);
  }
}

async function tryToConnect(dataDirectory: string): Promise<pg.Client | null> {
  try {
    const state = serverState.parse(JSON.parse(await readFile(join(dataDirectory, 'postgres.json'), 'utf8')));
    const { password, port } = state;
    const client = new pg.Client({
      host: '127.0.0.1',
      port,
      user: 'barograph',
      password,
      database: 'barograph',
    });
    // The server may close the connection first.
    client.on('error', () => undefined);
    await client.connect();
    return client;
  } catch {
    return null;
  }
}

/** Rows of a previous start are older, also those that close its steps. */
async function untilRow(client: pg.Client, { startedAt, ...wait }: Wait & { readonly startedAt: Date }) {
  const query = {
    name: 'first-row',
    text: 'select from weather_forecast_steps where started_at >= $1 limit 1',
  };
  for (;;) {
    // On the very first start the table does not exist yet.
    const rows = await client.query({ ...query, values: [startedAt] }).catch(() => ({ rowCount: 0 }));
    if ((rows.rowCount ?? 0) > 0) return;
    await look(wait);
  }
}

async function look({ child, deadline }: Wait): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null)
    throw new Error('The program ended before it recorded a row.');
  if (performance.now() > deadline) throw new Error(`No row was recorded within ${PATIENCE_MILLIS} ms.`);
  await sleep(LOOK_MILLIS);
}

function end({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, 'SIGINT');
}
