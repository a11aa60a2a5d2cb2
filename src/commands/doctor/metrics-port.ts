import { createServer } from 'node:net';
import type { Config } from '#src/config';
import { METRICS } from '#semconv/metrics';

/** What was found at the metrics port, and whether that is in order. */
export interface MetricsPort {
  readonly ok: boolean;
  readonly found: string;
}

type Address = Pick<Config, 'metricsHost' | 'metricsPort'>;

/** Longest time for the process at the port to serve its metrics. */
const RESPONSE_TIMEOUT_MILLIS = 2000;

/** The port is in order when it is free, or when a Barograph process serves its metrics there. */
export async function checkMetricsPort(at: Address): Promise<MetricsPort> {
  const address = `${at.metricsHost}:${at.metricsPort}`;
  const listenError = await tryToListen(at);
  if (listenError === null) return { ok: true, found: `${address} is free` };
  if (listenError === 'EADDRINUSE' && (await isBarograph(at))) {
    const found = `a Barograph process listens at ${address}; another one needs its own BAROGRAPH_METRICS_PORT`;
    return { ok: true, found };
  }
  return { ok: false, found: `${address} cannot be opened (${listenError}); set BAROGRAPH_METRICS_PORT` };
}

/** The error code of listening there; null when it succeeds. */
function tryToListen({ metricsHost, metricsPort }: Address): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(metricsPort, metricsHost, () => server.close(() => resolve(null)));
  });
}

/** Recognizes a Barograph process by the recorder's metrics. */
async function isBarograph({ metricsHost, metricsPort }: Address): Promise<boolean> {
  try {
    const url = `http://${toConnectHost(metricsHost)}:${metricsPort}/metrics`;
    const response = await fetch(url, {
      redirect: 'error',
      signal: AbortSignal.timeout(RESPONSE_TIMEOUT_MILLIS),
    });
    return (await response.text()).includes(`# TYPE ${METRICS.recorderQueueLength.name} `);
  } catch {
    return false;
  }
}

/** Maps a wildcard address, which cannot be connected to, to the loopback; brackets IPv6. */
function toConnectHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}
