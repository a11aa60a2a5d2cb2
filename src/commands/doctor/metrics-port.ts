import { createServer } from 'node:net';
import type { Config } from '#src/config';
import { servedDatabases } from '#maintenance/maintenance';
import { METRICS } from '#semconv/metrics';

/** What was found at the metrics port, and whether that is in order. */
export interface MetricsPort {
  readonly ok: boolean;
  readonly found: string;
}

type Address = Pick<Config, 'metricsHost' | 'metricsPort'>;

/** Longest time for the process at the port to serve its metrics. */
const RESPONSE_TIMEOUT_MILLIS = 2000;

/**
 * The port is in order when it is free, or when a Barograph process serves the metrics of this database there.
 *
 * @param databaseId identity of this database; null when it could not be read
 */
export async function checkMetricsPort(at: Address, databaseId: string | null): Promise<MetricsPort> {
  const address = `${at.metricsHost}:${at.metricsPort}`;
  const listenError = await tryToListen(at);
  if (listenError === null) return { ok: true, found: `${address} is free` };
  const served = listenError === 'EADDRINUSE' ? await readDatabases(at) : null;
  if (served !== null) return judge(address, served, databaseId);
  return { ok: false, found: `${address} cannot be opened (${listenError}); set BAROGRAPH_METRICS_PORT` };
}

function judge(address: string, served: readonly string[], databaseId: string | null): MetricsPort {
  const foreign = databaseId === null ? [] : served.filter((id) => id !== databaseId);
  if (foreign.length > 0) {
    const found =
      `a Barograph process of another database (${foreign.join(', ')}) listens at ${address}; this one is ` +
      `${databaseId ?? ''}: set BAROGRAPH_METRICS_PORT, or DATABASE_URL to the other`;
    return { ok: false, found };
  }
  const which = served.length === 0 ? ', which does not say of which database (an earlier version)' : '';
  const found = `a Barograph process listens at ${address}${which}; another one needs its own BAROGRAPH_METRICS_PORT`;
  return { ok: true, found };
}

/** The error code of listening there; null when it succeeds. */
function tryToListen({ metricsHost, metricsPort }: Address): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(metricsPort, metricsHost, () => server.close(() => resolve(null)));
  });
}

/** The databases that a Barograph process names, which is recognized by the recorder's metrics; null for others. */
async function readDatabases({ metricsHost, metricsPort }: Address): Promise<readonly string[] | null> {
  try {
    const url = `http://${toConnectHost(metricsHost)}:${metricsPort}/metrics`;
    const response = await fetch(url, {
      redirect: 'error',
      signal: AbortSignal.timeout(RESPONSE_TIMEOUT_MILLIS),
    });
    const text = await response.text();
    return text.includes(`# TYPE ${METRICS.recorderQueueLength.name} `) ? servedDatabases(text) : null;
  } catch {
    return null;
  }
}

/** Maps a wildcard address, which cannot be connected to, to the loopback; brackets IPv6. */
function toConnectHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}
