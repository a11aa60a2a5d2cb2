import { createServer } from 'node:net';
import type { Config } from '#src/config';
import { METRICS } from '#semconv/metrics';

/** What was found at the port of the metrics, and whether a process that is started now is in order there. */
export interface MetricsPort {
  readonly ok: boolean;
  readonly found: string;
}

type Address = Pick<Config, 'metricsHost' | 'metricsPort'>;

/** Longest time for the process at the port to show its metrics. */
const ANSWER_MILLIS = 2000;

/** A port is in order when it can be had, and when it is a process of Barograph that has it. */
export async function examineMetricsPort(at: Address): Promise<MetricsPort> {
  const address = `${at.metricsHost}:${at.metricsPort}`;
  const listenError = await tryToListen(at);
  if (listenError === null) return { ok: true, found: `${address} is free` };
  if (listenError === 'EADDRINUSE' && (await isBarograph(at))) {
    const found = `a Barograph process answers at ${address}; another one needs a BAROGRAPH_METRICS_PORT of its own`;
    return { ok: true, found };
  }
  return { ok: false, found: `${address} cannot be had (${listenError}); set BAROGRAPH_METRICS_PORT` };
}

/** Why nobody can listen there; null when somebody can. */
function tryToListen({ metricsHost, metricsPort }: Address): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(metricsPort, metricsHost, () => server.close(() => resolve(null)));
  });
}

/** Whoever shows the metrics of a recorder is one of ours. */
async function isBarograph({ metricsHost, metricsPort }: Address): Promise<boolean> {
  try {
    const url = `http://${toReachable(metricsHost)}:${metricsPort}/metrics`;
    const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(ANSWER_MILLIS) });
    return (await response.text()).includes(`# TYPE ${METRICS.recorderQueueLength.name} `);
  } catch {
    return false;
  }
}

/** An address that stands for all addresses is no address to call. */
function toReachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}
