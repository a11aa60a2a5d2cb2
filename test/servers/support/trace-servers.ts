import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '#database/embedded/free-port';
import type { ServerPrograms } from './server-programs.ts';
import { startServer, type RunningServer } from './running-server.ts';

/** A Collector with a Jaeger behind it, both with the configuration of the repository as it is. */
export interface TraceServers {
  /** Where senders bring spans; they have to show `authorization`. */
  readonly collectorUrl: string;
  readonly authorization: string;
  /** Query API and UI of Jaeger. */
  readonly jaegerUrl: string;
  readonly stopJaeger: () => Promise<void>;
  readonly startJaeger: () => Promise<void>;
  readonly killCollector: () => Promise<void>;
  readonly startCollector: () => Promise<void>;
  /** A metric of the Collector itself; 0 when it is absent. */
  readonly collectorMetric: (name: string) => Promise<number>;
  readonly close: () => Promise<void>;
}

const LOOPBACK = 'http://127.0.0.1:';

/** Distinct free ports. */
async function freePorts(count: number): Promise<readonly string[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await findFreePort());
  return [...ports].map(String);
}

/** Starts both; the caller must close them. */
export async function startTraceServers(programs: ServerPrograms): Promise<TraceServers> {
  const folder = await mkdtemp(join(tmpdir(), 'barograph-collector-'));
  const [query = '', queryGrpc = '', jaegerOtlp = '', jaegerHealth = '', ...ofCollector] = await freePorts(8);
  const [grpc = '', http = '', health = '', metrics = ''] = ofCollector;
  const token = randomUUID();
  const running: { jaeger: RunningServer | null; collector: RunningServer | null } = {
    jaeger: null,
    collector: null,
  };
  const startJaeger = async (): Promise<void> => {
    running.jaeger = await startServer({
      program: programs.jaeger,
      args: ['--config', 'dashboards/jaeger.yaml'],
      env: {
        JAEGER_QUERY_PORT: query,
        JAEGER_QUERY_GRPC_PORT: queryGrpc,
        JAEGER_OTLP_PORT: jaegerOtlp,
        JAEGER_HEALTH_PORT: jaegerHealth,
        OTEL_TRACES_SAMPLER: 'always_off',
      },
      healthUrl: `${LOOPBACK}${jaegerHealth}/status`,
    });
  };
  const startCollector = async (): Promise<void> => {
    running.collector = await startServer({
      program: programs.collector,
      args: ['--config', 'otel-collector.yaml'],
      env: {
        BAROGRAPH_COLLECTOR_TOKEN: token,
        BAROGRAPH_COLLECTOR_GRPC_PORT: grpc,
        BAROGRAPH_COLLECTOR_HTTP_PORT: http,
        BAROGRAPH_COLLECTOR_HEALTH_PORT: health,
        BAROGRAPH_COLLECTOR_METRICS_PORT: metrics,
        BAROGRAPH_COLLECTOR_QUEUE: join(folder, 'queue'),
        BAROGRAPH_JAEGER_ENDPOINT: `127.0.0.1:${jaegerOtlp}`,
      },
      healthUrl: `${LOOPBACK}${health}/`,
    });
  };
  const close = async (): Promise<void> => {
    await Promise.all([running.collector?.stop(), running.jaeger?.stop()]);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await startJaeger();
    await startCollector();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    collectorUrl: `${LOOPBACK}${http}`,
    authorization: `Bearer ${token}`,
    jaegerUrl: `${LOOPBACK}${query}`,
    startJaeger,
    startCollector,
    stopJaeger: async () => running.jaeger?.stop(),
    killCollector: async () => running.collector?.stop('SIGKILL'),
    collectorMetric: async (name) => {
      const text = await (await fetch(`${LOOPBACK}${metrics}/metrics`)).text();
      const line = text.split('\n').find((it) => it.startsWith(`${name}{`));
      return Number(line?.split(' ').at(-1) ?? 0);
    },
    close,
  };
}
