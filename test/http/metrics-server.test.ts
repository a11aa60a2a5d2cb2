import { connect } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { startMetricsServer } from '#http/metrics-server';
import { CategorizedError } from '#semconv';
import { createPrometheusExporter } from '#prometheus/exporter';
import { ask, startServer, withServer } from './server-fixture.ts';

describe('the metrics server', () => {
  it('the metrics server passes the Accept header to the rendering and its content type to the client', async () => {
    await withServer({}, async (server) => {
      const seen = await ask(server, '/metrics?debug=1', { headers: { accept: 'text/plain' } });
      expect(seen).toMatchObject({ status: 200, body: 'accept text/plain\n' });
      expect(seen.headers).toMatchObject({
        'content-type': 'text/plain; version=0.0.4',
        'cache-control': 'no-store',
      });
    });
  });

  it('the metrics server serves what the exporter renders, in the format that was asked for', async () => {
    const exporter = createPrometheusExporter({
      recorderState: () => ({ queueLength: 4, oldestAgeMillis: null, dropped: {} }),
    });
    await withServer({ render: (accept) => exporter.render(accept) }, async (server) => {
      const classic = await ask(server, '/metrics');
      const accept = 'application/openmetrics-text;version=1.0.0';
      const openmetrics = await ask(server, '/metrics', { headers: { accept } });
      expect(classic.body).toContain('barograph_recorder_queue_length 4\n');
      expect(classic.headers['content-type']).toContain('version=0.0.4');
      expect(openmetrics.body.endsWith('# EOF\n')).toBe(true);
      expect(openmetrics.headers['content-type']).toContain('application/openmetrics-text');
    });
  });

  it('the metrics server replies to HEAD like GET without the body', async () => {
    await withServer({}, async (server) => {
      const [head, get] = await Promise.all([
        ask(server, '/metrics', { method: 'HEAD' }),
        ask(server, '/metrics'),
      ]);
      expect(head.status).toBe(200);
      expect(head.body).toBe('');
      expect(head.headers['content-length']).toBe(get.headers['content-length']);
    });
  });

  it('the metrics server names the methods with 405 and the paths with 404', async () => {
    await withServer({}, async (server) => {
      const refused = await ask(server, '/readyz', { method: 'POST' });
      expect([refused.status, refused.headers['allow']]).toEqual([405, 'GET, HEAD']);
      expect((await ask(server, '/nowhere')).status).toBe(404);
    });
  });

  it('the metrics server survives a failed rendering, even when the error listener throws too', async () => {
    let renderings = 0;
    const render = async () => {
      renderings += 1;
      if (renderings === 1) throw new Error('broken');
      return { contentType: 'text/plain', body: 'up 1\n' };
    };
    const onError = () => {
      throw new Error('broken, too');
    };
    await withServer({ render, onError }, async (server) => {
      expect((await ask(server, '/metrics')).status).toBe(500);
      expect((await ask(server, '/metrics')).status).toBe(200);
    });
  });

  it('the metrics server drops one client, not itself, when a reply cannot be sent', async () => {
    const errors: unknown[] = [];
    const render = async () => ({ contentType: 'text/plain\n', body: '' });
    await withServer({ render, onError: (error) => void errors.push(error) }, async (server) => {
      await expect(ask(server, '/metrics')).rejects.toThrow();
      expect(errors).toHaveLength(1);
      expect((await ask(server, '/healthz')).status).toBe(200);
    });
  });

  it('the metrics server names the variable to set when the port is in use', async () => {
    await withServer({}, async ({ port }) => {
      const refused = startServer({ port });
      await expect(refused).rejects.toBeInstanceOf(CategorizedError);
      await expect(refused).rejects.toThrow(
        `the metrics port ${port} is taken by another program; set BAROGRAPH_METRICS_PORT to a free port, or to 0 for any`,
      );
    });
  });

  it('the metrics server names the variable to set when the port is invalid', async () => {
    await expect(startServer({ port: 70_000 })).rejects.toThrow(
      /70000 cannot be opened .*BAROGRAPH_METRICS_PORT/,
    );
  });
});

describe('closing the metrics server', () => {
  it('closing the metrics server is idempotent, and no request is accepted afterwards', async () => {
    const server = await startServer();
    await Promise.all([server.close(), server.close()]);
    await expect(ask(server, '/healthz')).rejects.toThrow('ECONNREFUSED');
  });

  it('closing the metrics server waits for the reply in flight and ends its connection', async () => {
    let started = (): void => undefined;
    let finish = (): void => undefined;
    const isStarted = new Promise<void>((resolve) => (started = resolve));
    const mayFinish = new Promise<void>((resolve) => (finish = resolve));
    const server = await startServer({
      render: async () => {
        started();
        await mayFinish;
        return { contentType: 'text/plain', body: 'late 1\n' };
      },
    });
    const asked = ask(server, '/metrics', { headers: { connection: 'keep-alive' } });
    await isStarted;
    const closed = server.close();
    finish();
    expect(await asked).toMatchObject({ status: 200, body: 'late 1\n', headers: { connection: 'close' } });
    await closed;
  });

  it('closing the metrics server does not wait for a client that never finishes its request', async () => {
    const server = await startMetricsServer({
      host: '127.0.0.1',
      port: 0,
      render: async () => ({ contentType: 'text/plain', body: '' }),
      ready: async () => ({ ready: true, reasons: [] }),
    });
    const client = connect(server.port, '127.0.0.1');
    client.on('error', () => undefined);
    await once(client, 'connect');
    client.write('GET /metrics HTTP/1.1\r\nHost: x\r\n');
    const disconnected = once(client, 'close');
    await server.close();
    await disconnected;
    expect(client.destroyed).toBe(true);
  });
});
