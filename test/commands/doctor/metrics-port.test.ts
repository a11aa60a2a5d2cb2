import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { examineMetricsPort } from '#commands/doctor/metrics-port';
import { startMetricsServer } from '#http/metrics-server';
import { exporterFor } from '#test/exporters/prometheus/fixtures';

const servers: { close: () => unknown }[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

/** Another program that serves HTTP; gives its port. */
async function otherProgram(body: string): Promise<number> {
  const server: Server = createServer((_, response) => response.end(body));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push({ close: () => server.close() });
  return (server.address() as AddressInfo).port;
}

async function barograph(host: string): Promise<number> {
  const exporter = exporterFor();
  const server = await startMetricsServer({
    host,
    port: 0,
    render: (accept) => exporter.render(accept),
    ready: () => Promise.resolve({ ready: true, reasons: [] }),
  });
  servers.push(server);
  return server.port;
}

describe('the port of the metrics', () => {
  it('the port of the metrics is in order when it is free', async () => {
    expect(await examineMetricsPort({ metricsHost: '127.0.0.1', metricsPort: 0 })).toEqual({
      ok: true,
      found: '127.0.0.1:0 is free',
    });
  });

  it.each(['127.0.0.1', '0.0.0.0'])(
    'the port of the metrics is in order when a process of Barograph serves at %s, which it says',
    async (metricsHost) => {
      const metricsPort = await barograph(metricsHost);
      expect(await examineMetricsPort({ metricsHost, metricsPort })).toEqual({
        ok: true,
        found:
          `a Barograph process answers at ${metricsHost}:${metricsPort}; ` +
          'another one needs a BAROGRAPH_METRICS_PORT of its own',
      });
    },
  );

  it('the port of the metrics is not when another program has it, whatever that answers', async () => {
    const metricsPort = await otherProgram('# TYPE up gauge\nup 1\n');
    expect(await examineMetricsPort({ metricsHost: '127.0.0.1', metricsPort })).toEqual({
      ok: false,
      found: `127.0.0.1:${metricsPort} cannot be had (EADDRINUSE); set BAROGRAPH_METRICS_PORT`,
    });
  });

  it('the port of the metrics is not when its host is none of this machine', async () => {
    const { ok, found } = await examineMetricsPort({ metricsHost: '192.0.2.1', metricsPort: 0 });
    expect([ok, found]).toEqual([
      false,
      '192.0.2.1:0 cannot be had (EADDRNOTAVAIL); set BAROGRAPH_METRICS_PORT',
    ]);
  });
});
