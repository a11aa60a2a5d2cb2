import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { checkMetricsPort } from '#commands/doctor/metrics-port';
import { startMetricsServer } from '#http/metrics-server';
import { exporterFor, wholeTable } from '#test/exporters/prometheus/fixtures';

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

async function barograph(host: string, databaseId?: string): Promise<number> {
  const exporter = exporterFor();
  exporter.refresh({ ...wholeTable([]), databaseId });
  const server = await startMetricsServer({
    host,
    port: 0,
    render: (accept) => exporter.render(accept),
    ready: () => Promise.resolve({ ready: true, reasons: [] }),
  });
  servers.push(server);
  return server.port;
}

describe('checkMetricsPort', () => {
  it('a free metrics port is in order', async () => {
    expect(await checkMetricsPort({ metricsHost: '127.0.0.1', metricsPort: 0 }, 'ours')).toEqual({
      ok: true,
      found: '127.0.0.1:0 is free',
    });
  });

  it.each(['127.0.0.1', '0.0.0.0'])(
    'a metrics port at which Barograph serves on %s is in order and reported as such',
    async (metricsHost) => {
      const metricsPort = await barograph(metricsHost, 'ours');
      const inOrder = {
        ok: true,
        found:
          `a Barograph process listens at ${metricsHost}:${metricsPort}; ` +
          'another one needs its own BAROGRAPH_METRICS_PORT',
      };
      expect(await checkMetricsPort({ metricsHost, metricsPort }, 'ours')).toEqual(inOrder);
      expect(await checkMetricsPort({ metricsHost, metricsPort }, null), 'no database').toEqual(inOrder);
    },
  );

  it('a metrics port at which a process of another database serves is not in order', async () => {
    const metricsPort = await barograph('127.0.0.1', 'theirs');
    expect(await checkMetricsPort({ metricsHost: '127.0.0.1', metricsPort }, 'ours')).toEqual({
      ok: false,
      found:
        `a Barograph process of another database (theirs) listens at 127.0.0.1:${metricsPort}; this one is ours: ` +
        'set BAROGRAPH_METRICS_PORT, or DATABASE_URL to the other',
    });
  });

  it('a process that does not name its database is reported as an earlier version', async () => {
    const metricsPort = await barograph('127.0.0.1');
    const { ok, found } = await checkMetricsPort({ metricsHost: '127.0.0.1', metricsPort }, 'ours');
    expect(ok).toBe(true);
    expect(found).toContain(', which does not say of which database (an earlier version); ');
  });

  it('a metrics port of another program is not in order, whatever it responds', async () => {
    const metricsPort = await otherProgram('# TYPE up gauge\nup 1\n');
    expect(await checkMetricsPort({ metricsHost: '127.0.0.1', metricsPort }, 'ours')).toEqual({
      ok: false,
      found: `127.0.0.1:${metricsPort} cannot be opened (EADDRINUSE); set BAROGRAPH_METRICS_PORT`,
    });
  });

  it('a metrics host that is no address of this machine is not in order', async () => {
    const { ok, found } = await checkMetricsPort({ metricsHost: '192.0.2.1', metricsPort: 0 }, 'ours');
    expect([ok, found]).toEqual([
      false,
      '192.0.2.1:0 cannot be opened (EADDRNOTAVAIL); set BAROGRAPH_METRICS_PORT',
    ]);
  });
});
