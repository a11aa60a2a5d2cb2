import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '#database/embedded/free-port';
import { startServer } from './running-server.ts';

/** How the Collector packs what it sends on. */
export interface CollectorPacking {
  readonly compression: 'none' | 'gzip' | 'zstd';
  readonly encoding: 'proto' | 'json';
}

/** A Collector between a sender and a recorder, without a disk of its own. */
export interface SendingCollector {
  readonly endpoint: string;
  readonly close: () => Promise<void>;
}

/** Starts it, as `docs/operating.md` recommends it: it tries again until the recorder takes what it has. */
export async function startSendingCollector(
  program: string,
  recorder: string,
  { compression, encoding }: CollectorPacking,
): Promise<SendingCollector> {
  const folder = await mkdtemp(join(tmpdir(), 'barograph-collector-'));
  const file = join(folder, 'collector.yaml');
  const [port, health] = [await findFreePort(), await findFreePort()];
  const config = {
    extensions: { health_check: { endpoint: `127.0.0.1:${health}` } },
    receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } } },
    exporters: {
      otlp_http: {
        endpoint: recorder,
        ...{ compression, encoding },
        retry_on_failure: {
          enabled: true,
          initial_interval: '200ms',
          max_interval: '1s',
          max_elapsed_time: '0s',
        },
      },
    },
    service: {
      extensions: ['health_check'],
      pipelines: { traces: { receivers: ['otlp'], exporters: ['otlp_http'] } },
      telemetry: { metrics: { level: 'none' } },
    },
  };
  // JSON is YAML, too.
  await writeFile(file, JSON.stringify(config));
  const args = ['--config', file];
  const healthUrl = `http://127.0.0.1:${health}/`;
  const server = await startServer({ program, args, env: {}, healthUrl });
  return {
    endpoint: `http://127.0.0.1:${port}`,
    close: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
