import { inspect } from 'node:util';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createHttpStore, openGridStore } from '#grids';
import { rejectionOf, smallField, smallFiles, VALID_TIMES } from './small-store.ts';

const TOKEN = 'secret-token';

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

function serveFiles(files: ReadonlyMap<string, Uint8Array>, prefix = '/'): Promise<string> {
  return serve((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '', 'http://server').pathname);
    const file = path.startsWith(prefix) ? files.get(path.slice(prefix.length)) : undefined;
    response.statusCode = file === undefined ? 404 : 200;
    response.end(file);
  });
}

function serveStatus(status: number): Promise<string> {
  return serve((_, response) => {
    response.statusCode = status;
    response.end('the answer of a stranger');
  });
}

describe('HTTP store', () => {
  it('files are read below the path of the URL', async () => {
    const files = await smallFiles();
    const url = await serveFiles(files, '/forecasts/run 1.zarr/');
    const store = await openGridStore(`${url}/forecasts/run%201.zarr/?token=${TOKEN}`);
    const field = await store.readField({ variable: '2t', pressureHpa: null, validTime: VALID_TIMES[1] });
    expect(field).toEqual(smallField(VALID_TIMES[1], 0));
  });

  it('a store sends headers and token, counts requests and bytes, and times the first response', async () => {
    const seen: unknown[] = [];
    const url = await serve((request, response) => {
      seen.push([request.url, request.headers.authorization, request.headers['x-run']]);
      response.end('wind');
    });
    const ticks = [100, 125, 200, 290];
    const store = createHttpStore(`${url}/a.zarr`, {
      bearerToken: TOKEN,
      headers: { 'x-run': '7' },
      now: () => ticks.shift() ?? Number.NaN,
    });
    expect(store.stats.firstByteMillis).toBeNull();
    expect(Buffer.from((await store.get('/2t/0.0.0')) ?? []).toString()).toBe('wind');
    expect(seen).toEqual([['/a.zarr/2t/0.0.0', `Bearer ${TOKEN}`, '7']]);
    expect(store.stats).toEqual({ requests: 1, bytes: 4, firstByteMillis: 25 });
    await store.get('/2t/1.0.0');
    expect(store.stats).toEqual({ requests: 2, bytes: 8, firstByteMillis: 25 });
  });

  it('the query of the URL is kept in every request', async () => {
    const url = await serve((request, response) => response.end(request.url));
    const bytes = await createHttpStore(`${url}/a.zarr?token=x`).get('/lat/0');
    expect(Buffer.from(bytes ?? []).toString()).toBe('/a.zarr/lat/0?token=x');
  });

  it('a file is absent where the status is 404', async () => {
    const store = createHttpStore(await serveStatus(404));
    expect(await store.get('/zarr.json')).toBeUndefined();
    expect(await rejectionOf(openGridStore(await serveStatus(404)))).toMatchObject({ category: 'not_found' });
  });

  it.each([
    [500, 'http_5xx', true],
    [503, 'http_5xx', true],
    [401, 'http_4xx', true],
    [403, 'http_4xx', false],
    [429, 'http_4xx', true],
    [302, 'invalid_response', false],
    [204, 'invalid_response', false],
  ])('status %i is an error of category %s, retryable %s', async (status, category, retryable) => {
    const store = createHttpStore(await serveStatus(status));
    const error = await rejectionOf(store.get('/lat/0'));
    expect(error).toMatchObject({ category, retryable });
    expect((error as Error).message).toContain(`HTTP ${String(status)}`);
  });
});

describe('misbehaving server', () => {
  it('a server that never responds is a timeout', async () => {
    const store = createHttpStore(await serve(() => undefined), { timeoutMillis: 30 });
    expect(await rejectionOf(store.get('/lat/0'))).toMatchObject({ category: 'timeout', retryable: true });
  });

  it('a body that never ends is a timeout', async () => {
    const url = await serve((_, response) => void response.write('part'));
    const store = createHttpStore(url, { timeoutMillis: 100 });
    expect(await rejectionOf(store.get('/lat/0'))).toMatchObject({ category: 'timeout', retryable: true });
  });

  it('a connection closed in the middle of a body is a lost connection', async () => {
    const url = await serve((_, response) => {
      response.setHeader('content-length', '100');
      response.write('part', () => response.destroy());
    });
    const error = await rejectionOf(createHttpStore(url).get('/lat/0'));
    expect(error).toMatchObject({ category: 'connection', retryable: true });
  });

  it.each([true, false])(
    'a body beyond the size limit is rejected (length announced: %s)',
    async (announced) => {
      const url = await serve((_, response) => {
        if (announced) response.setHeader('content-length', '2000');
        response.write(Buffer.alloc(1000));
        response.end(Buffer.alloc(1000));
      });
      const error = await rejectionOf(createHttpStore(url, { maxFileBytes: 1500 }).get('/lat/0'));
      expect(error).toMatchObject({ category: 'invalid_response', retryable: false });
    },
  );

  it('the status alone decides when the body of an error is long or never ends', async () => {
    const long = await serve((_, response) => {
      response.statusCode = 500;
      response.end(Buffer.alloc(4_000_000));
    });
    expect(await rejectionOf(createHttpStore(long).get('/lat/0'))).toMatchObject({ category: 'http_5xx' });
    const endless = await serve((_, response) => {
      response.statusCode = 503;
      response.write('part');
    });
    const store = createHttpStore(endless, { timeoutMillis: 100 });
    expect(await rejectionOf(store.get('/lat/0'))).toMatchObject({ category: 'http_5xx' });
  });

  it('an error never contains the address or the token', async () => {
    const url = await serve(() => undefined);
    const { port } = new URL(url);
    const closed = 'http://127.0.0.1:1';
    for (const [address, timeoutMillis] of [
      [url, 30],
      [closed, 1000],
    ] as const) {
      const store = createHttpStore(`${address}/a.zarr?token=${TOKEN}`, {
        bearerToken: TOKEN,
        timeoutMillis,
      });
      const error = (await rejectionOf(store.get('/lat/0'))) as Error;
      const shown = inspect(error, { showHidden: true, depth: 9 });
      expect(shown).not.toContain(TOKEN);
      expect(shown).not.toContain('127.0.0.1');
      expect(error.message).not.toContain(port);
    }
  });

  it('a refused connection is a lost connection', async () => {
    const error = await rejectionOf(openGridStore('http://127.0.0.1:1/a.zarr'));
    expect(error).toMatchObject({ category: 'connection', retryable: true });
    expect((error as Error).message).toContain('ECONNREFUSED');
    expect((error as Error).cause).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('an abort by the caller is passed on unchanged', async () => {
    const store = createHttpStore(await serve(() => undefined));
    const abort = new AbortController();
    const reading = rejectionOf(store.get('/lat/0', { signal: abort.signal }));
    abort.abort(new Error('enough'));
    expect(await reading).toMatchObject({ message: 'enough' });
  });
});
