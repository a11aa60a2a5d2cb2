import { describe, expect, it } from 'vitest';
import { CategorizedError } from '#semconv';
import { ask, withServer, type Seen } from './server-fixture.ts';

function sourcesWith(sources: Parameters<typeof withServer>[0] = {}) {
  const errors: unknown[] = [];
  const options = {
    render: async () => ({ contentType: 'text/plain', body: 'up 1\n' }),
    onError: (error: unknown) => void errors.push(error),
    ...sources,
  };
  const get = (path: string, method = 'GET'): Promise<Seen> =>
    withServer(options, (server) => ask(server, path, { method }));
  return { errors, get };
}
const never = () => new Promise<never>(() => undefined);

describe('/metrics', () => {
  it('/metrics replies with what was rendered', async () => {
    expect(await sourcesWith().get('/metrics')).toMatchObject({
      status: 200,
      headers: { 'content-type': 'text/plain' },
      body: 'up 1\n',
    });
  });

  it('/metrics replies 500 when the rendering fails, with the reason to the operator and its kind to the client', async () => {
    const error = new TypeError('password hunter2 was refused by 10.0.0.1');
    const { errors, get } = sourcesWith({ render: () => Promise.reject(error) });
    const reply = await get('/metrics');
    expect(reply).toMatchObject({ status: 500, body: 'the metrics could not be rendered: TypeError\n' });
    expect(errors).toEqual([error]);
  });

  it('/metrics replies 500 when the rendering throws at once', async () => {
    const render = () => {
      throw new CategorizedError('lock_busy', 'busy');
    };
    expect(await sourcesWith({ render }).get('/metrics')).toMatchObject({
      status: 500,
      body: 'the metrics could not be rendered: lock_busy\n',
    });
  });

  it('/metrics replies 500 when the rendering hangs', async () => {
    const { get } = sourcesWith({ render: never, deadlineMillis: 1 });
    expect(await get('/metrics')).toMatchObject({
      status: 500,
      body: 'the metrics could not be rendered: timeout\n',
    });
  });
});

describe('/readyz', () => {
  it('/readyz replies 200 when the program is ready', async () => {
    const reply = await sourcesWith().get('/readyz');
    expect([reply.status, JSON.parse(reply.body)]).toEqual([200, { ready: true, reasons: [] }]);
  });

  it('/readyz replies 503 with the reasons when it is not', async () => {
    const readiness = { ready: false, reasons: ['database: migration 2 of 3', 'spool: 97 % full'] };
    const reply = await sourcesWith({ ready: async () => readiness }).get('/readyz');
    expect([reply.status, JSON.parse(reply.body)]).toEqual([503, readiness]);
  });

  it.each([
    ['fails', () => Promise.reject(new Error('postgres://user:secret@db'))],
    ['hangs', never],
  ])('/readyz replies 503 when the check %s, without its message', async (_, ready) => {
    const { errors, get } = sourcesWith({ ready, deadlineMillis: 1 });
    const reply = await get('/readyz');
    expect(reply.status).toBe(503);
    expect(reply.body).toContain('the readiness check failed');
    expect(reply.body).not.toContain('secret');
    expect(errors).toHaveLength(1);
  });
});

describe('/healthz', () => {
  it('/healthz replies 200 even when nothing else works', async () => {
    const { get } = sourcesWith({ ready: never, render: never });
    expect(await get('/healthz')).toMatchObject({ status: 200, body: 'alive\n' });
  });
});

describe('any other request', () => {
  it.each(['/', '/metric', '/metrics/', '//', '/METRICS', '*'])(
    'any other request to %s gets 404 with the paths that exist',
    async (path) => {
      expect(await sourcesWith().get(path)).toMatchObject({
        status: 404,
        body: 'not found; this server knows /metrics, /healthz, /readyz\n',
      });
    },
  );

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])(
    'any other request with %s gets 405 with the methods that exist',
    async (method) => {
      expect(await sourcesWith().get('/metrics', method)).toMatchObject({
        status: 405,
        headers: { allow: 'GET, HEAD' },
      });
    },
  );
});
