import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RecordingEndpoints } from '#commands/record/run-recorder';
import { findFreePort } from '#database/embedded/free-port';

/** `barograph record` in a process of its own, at one port and with one data directory however often it is started. */
export interface RecordProcess {
  /** The base URL for senders over HTTP. */
  readonly endpoint: string;
  /** The URL for senders over gRPC. */
  readonly grpcEndpoint: string;
  readonly start: () => Promise<void>;
  readonly stop: (signal: 'SIGTERM' | 'SIGKILL') => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Starts it; the caller must close it. */
export async function startRecordProcess(databaseUrl: string): Promise<RecordProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'barograph-record-'));
  const [port, grpcPort] = [await findFreePort(), await findFreePort()];
  const env = {
    PATH: process.env['PATH'] ?? '',
    DATABASE_URL: databaseUrl,
    BAROGRAPH_DATA_DIR: folder,
    BAROGRAPH_INGEST_PORT: String(port),
    BAROGRAPH_INGEST_GRPC_PORT: String(grpcPort),
    BAROGRAPH_METRICS_PORT: '0',
  };
  let running: ChildProcess | null = null;
  const start = async (): Promise<void> => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'src/cli.ts', 'record', '--json'], {
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    running = child;
    const [line] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])) as [unknown];
    if (!Buffer.isBuffer(line)) throw new Error(`barograph record ended with ${String(line)}`);
    const { traces } = JSON.parse(line.toString()) as RecordingEndpoints;
    if (Number(new URL(traces).port) !== port) throw new Error(`barograph record listens at ${traces}`);
  };
  const stop = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    if (running === null || running.exitCode !== null || running.signalCode !== null) return;
    const ended = once(running, 'exit');
    running.kill(signal);
    await ended;
  };
  await start();
  return {
    endpoint: `http://127.0.0.1:${port}`,
    grpcEndpoint: `http://127.0.0.1:${grpcPort}`,
    start,
    stop,
    close: async () => {
      await stop('SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
