import { inspect } from 'node:util';
import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import {
  createMinerClient,
  MinerCallError,
  openMinerAgent,
  toJobId,
  type MinerClient,
  type MinerClientOptions,
} from '#pipeline/miners/index';
import { captureSpans, contextOf } from '../support/captured-spans.ts';
import {
  ACCESS,
  HOTKEY,
  JOB_ID,
  json,
  MANIFEST_HASH,
  startScriptedMiner,
  type Received,
  type ScriptedMiner,
} from './scripted-miner.ts';

const REQUEST = { initTime: new Date('2025-11-26T00:00:00Z'), validatorHotkey: '5Validator' };
const TIMEOUTS = { initiateFetch: 2000, poll: 2000, token: 2000 };

const spans = captureSpans();
let client: MinerClient;
afterEach(async () => {
  spans.reset();
  await client.close();
});

/** A client, and a miner that replies as the test defines. */
async function meet(
  answer: (response: ServerResponse, request: Received) => void,
  options: MinerClientOptions = {},
): Promise<ScriptedMiner> {
  client = createMinerClient({ timeouts: TIMEOUTS, ...options });
  return startScriptedMiner(answer);
}

async function errorOf(call: Promise<unknown>): Promise<MinerCallError> {
  const error: unknown = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof MinerCallError) return error;
  throw new Error(`no MinerCallError was thrown, but ${String(error)}`);
}

describe('miner client: initiate-fetch', () => {
  it('a request names forecast and miner in the agreed envelope and carries the trace context', async () => {
    await using scripted = await meet(json({ status: 'fetch_accepted', job_id: JOB_ID }));
    const reply = await client.initiateFetch(scripted.miner, REQUEST);

    expect(reply).toEqual({ kind: 'accepted', jobId: toJobId(REQUEST.initTime, HOTKEY) });
    const [received] = scripted.received;
    expect(received).toMatchObject({ method: 'POST', url: '/weather-initiate-fetch' });
    expect(JSON.parse(received?.body ?? '')).toEqual({
      nonce: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      data: {
        forecast_start_time: '2025-11-26T00:00:00.000Z',
        previous_step_time: '2025-11-25T18:00:00.000Z',
        validator_hotkey: '5Validator',
        expected_miner_hotkey: HOTKEY,
      },
    });
    const { traceId, spanId } = spans.last().spanContext();
    expect(received?.headers['traceparent']).toBe(`00-${traceId}-${spanId}-01`);
  });

  it('a request is a communication step that records transport result and wire status', async () => {
    await using scripted = await meet(json({ status: 'fetch_accepted', job_id: JOB_ID }));
    await client.initiateFetch(scripted.miner, REQUEST);

    const span = spans.last();
    expect(span.attributes).toMatchObject({
      'weather.step.name': 'communication',
      'weather.step.substep': 'initiate_fetch',
      'weather.step.status': 'succeeded',
      'weather.miner.uid': 17,
      'weather.miner.hotkey': HOTKEY,
      'weather.job.id': JOB_ID,
      'weather.response.transport': 'success',
      'weather.response.wire_status': 'fetch_accepted',
      'http.request.method': 'POST',
      'http.response.status_code': 200,
    });
    expect(contextOf(span)).toMatchObject({ kind: 'accepted', bytes: 75 });
  });

  it('a rejected request is a successful call whose span records the wire status', async () => {
    await using scripted = await meet(
      json({ status: 'fetch_rejected', message: 'hotkey verification failed' }),
    );
    const reply = await client.initiateFetch(scripted.miner, REQUEST);

    expect(reply).toEqual({ kind: 'rejected', reason: 'hotkey verification failed', identity: true });
    expect(spans.last().attributes).toMatchObject({
      'weather.step.status': 'succeeded',
      'weather.response.transport': 'success',
      'weather.response.wire_status': 'fetch_rejected',
    });
    expect(spans.last().attributes).not.toHaveProperty('error.type');
  });
});

describe('miner client: poll', () => {
  it('the progress of a poll is returned and recorded with its span', async () => {
    await using scripted = await meet(json({ status: 'processing', progress: 45 }));
    const reply = await client.pollJobStatus(scripted.miner, JOB_ID);

    expect(reply).toEqual({ kind: 'running', progress: 45, wireStatus: 'processing' });
    expect(JSON.parse(scripted.received[0]?.body ?? '')).toMatchObject({ data: { job_id: JOB_ID } });
    expect(spans.last().attributes).toMatchObject({
      'weather.step.substep': 'poll_job_status',
      'weather.job.id': JOB_ID,
    });
    expect(contextOf(spans.last())).toMatchObject({ has_progress: true, progress: 45 });
  });

  it('a poll answered with an unknown status fails, and the status is recorded', async () => {
    await using scripted = await meet(json({ status: 'meditating' }));
    const error = await errorOf(client.pollJobStatus(scripted.miner, JOB_ID));

    expect(error).toMatchObject({ category: 'invalid_response', retryable: true, statusCode: 200 });
    expect(error.message).toContain('status "meditating"; allowed: received, processing');
    expect(spans.last().attributes).toMatchObject({
      'weather.step.status': 'failed',
      'weather.response.transport': 'failure',
      'weather.response.wire_status': '"meditating"',
      'error.type': 'invalid_response',
    });
  });
});

describe('miner client: forecast files', () => {
  it('the manifest and its signature are read with the token of the forecast', async () => {
    await using scripted = await meet((response, { url }) => {
      if (url.startsWith('/weather')) {
        const access = { zarr_store_url: ACCESS.storePath, verification_hash: MANIFEST_HASH };
        json({ status: 'completed', ...access, access_token: ACCESS.token })(response);
      } else response.end(url.endsWith('.json') ? '{"files":{}}' : Buffer.alloc(64, 1));
    });
    const reply = await client.requestToken(scripted.miner, JOB_ID);
    expect(reply).toEqual({ kind: 'ready', access: ACCESS });

    const manifest = await client.fetchManifest(scripted.miner, ACCESS);
    expect(Buffer.from(manifest.bytes).toString()).toBe('{"files":{}}');
    expect([...manifest.signature]).toEqual(Array.from({ length: 64 }, () => 1));
    expect(
      scripted.received.slice(1).map(({ method, url, headers }) => [method, url, headers.authorization]),
    ).toEqual([
      ['GET', '/forecasts/a.zarr/manifest.json', `Bearer ${ACCESS.token}`],
      ['GET', '/forecasts/a.zarr/manifest.sig', `Bearer ${ACCESS.token}`],
    ]);
    expect(spans.of().map(({ attributes }) => attributes['weather.step.substep'])).toEqual([
      'kerchunk_request',
      'forecast_file',
      'forecast_file',
    ]);
    expect(contextOf(spans.last())).toMatchObject({ file: 'manifest.sig', bytes: 64 });
  });

  it('the first-byte time is measured to the head of the reply, by the injected clock', async () => {
    let now = 1000;
    await using scripted = await meet(
      (response) => {
        now += 7;
        response.end('x');
      },
      { now: () => now },
    );
    expect(await client.fetchManifest(scripted.miner, ACCESS)).toMatchObject({ firstByteMillis: 7 });
  });

  it('a forecast is read below the base URL of its miner, also when that has a path', () => {
    client = createMinerClient();
    const miner = { uid: 3, hotkey: HOTKEY, baseUrl: 'http://host:1/m/3/' };
    expect(client.forecastReader(miner, ACCESS)).toEqual({
      url: 'http://host:1/m/3/forecasts/a.zarr',
      headers: { authorization: `Bearer ${ACCESS.token}` },
    });
  });
});

describe('miner client: failed calls', () => {
  it.each([
    [400, 'http_4xx', false],
    [401, 'http_4xx', true],
    [403, 'http_4xx', false],
    [404, 'not_found', false],
    [408, 'http_4xx', true],
    [422, 'http_4xx', false],
    [429, 'rate_limited_upstream', true],
    [500, 'http_5xx', true],
    [503, 'http_5xx', true],
    [302, 'invalid_response', false],
    [204, 'invalid_response', false],
  ] as const)(
    'a call answered with HTTP %i fails as %s, retryable: %s',
    async (statusCode, category, retryable) => {
      await using scripted = await meet((response) => {
        response.writeHead(statusCode, { location: 'http://elsewhere.invalid/' }).end();
      });
      const error = await errorOf(client.initiateFetch(scripted.miner, REQUEST));

      expect(error).toMatchObject({ category, retryable, statusCode, operation: 'initiate_fetch' });
      expect(error.message).toContain(`miner 17 answered initiate_fetch with HTTP ${statusCode}`);
      expect(scripted.received).toHaveLength(1);
      expect(spans.last().attributes).toMatchObject({
        'http.response.status_code': statusCode,
        'weather.response.transport': 'failure',
        'error.type': category,
        'weather.error.retryable': retryable,
      });
    },
  );

  it('a miner that takes signed requests only is told as such', async () => {
    const detail = [{ type: 'missing', loc: ['header', 'validator-hotkey'] }];
    await using scripted = await meet(json({ detail }, 422));
    const error = await errorOf(client.initiateFetch(scripted.miner, REQUEST));
    expect(error).toMatchObject({ category: 'http_4xx', retryable: false });
    expect(error.message).toMatch(/allowed: 200\. The miner takes signed requests only: --transport fiber/);
  });

  it('a call past its limit fails as timeout with its latency, even while bytes still arrive', async () => {
    let drip: NodeJS.Timeout | undefined;
    await using scripted = await meet(
      (response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        drip = setInterval(() => response.write(' '), 5);
      },
      { timeouts: { poll: 60 } },
    );
    const error = await errorOf(client.pollJobStatus(scripted.miner, JOB_ID));
    clearInterval(drip);

    expect(error).toMatchObject({ category: 'timeout', retryable: true, statusCode: null });
    expect(error.message).toBe(
      'poll_job_status brought no complete reply from miner 17 within 60 ms (TimeoutError)',
    );
    const [seconds, nanos] = spans.last().duration;
    expect(seconds * 1000 + nanos / 1e6).toBeGreaterThan(50);
  });

  it('a call to a closed port fails as connection', async () => {
    const scripted = await meet(json({}));
    await scripted[Symbol.asyncDispose]();
    const error = await errorOf(client.initiateFetch(scripted.miner, REQUEST));
    expect(error).toMatchObject({ category: 'connection', retryable: true });
    expect(error.message).toMatch(/from miner 17 \(ECONNREFUSED\)$/);
  });

  it('a connection that is reset before or within the reply fails as connection', async () => {
    await using before = await meet((response) => response.socket?.resetAndDestroy());
    expect(await errorOf(client.pollJobStatus(before.miner, JOB_ID))).toMatchObject({
      category: 'connection',
    });
    await client.close();
    await using within = await meet((response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 });
      response.write('{"status":');
      response.socket?.destroySoon();
    });
    expect(await errorOf(client.pollJobStatus(within.miner, JOB_ID))).toMatchObject({
      category: 'connection',
    });
  });

  it.each([
    ['no JSON', 'application/json', '{"status":', 'is not JSON in UTF-8'],
    ['bytes that are no text', 'application/json', Buffer.from([0x22, 0xff, 0x22]), 'is not JSON in UTF-8'],
    [
      'HTML',
      'text/html; charset=utf-8',
      '<html>',
      'content type "text/html; charset=utf-8"; allowed: application/json',
    ],
    ['another shape', 'application/json', '[]', 'agreed shape'],
    [
      'too much',
      'application/json',
      JSON.stringify({ status: 'x'.repeat(2000) }),
      'with more than 1000 bytes',
    ],
  ])('a reply with %s fails as invalid_response', async (_, type, body, message) => {
    await using scripted = await meet(
      (response) => {
        response.writeHead(200, { 'content-type': type }).end(body);
      },
      { limits: { replyBytes: 1000 } },
    );
    const error = await errorOf(client.requestToken(scripted.miner, JOB_ID));
    expect(error).toMatchObject({ category: 'invalid_response', statusCode: 200 });
    expect(error.message).toContain(message);
    expect(contextOf(spans.last())).toMatchObject({ bytes: error.bytes });
  });

  it('an endless manifest is read up to the limit only', async () => {
    await using scripted = await meet(
      (response) => {
        // Yields to the event loop, which detects that the client has stopped reading.
        const pour = (): void => {
          if (!response.destroyed) response.write(Buffer.alloc(64 * 1024), () => setImmediate(pour));
        };
        pour();
      },
      { limits: { manifestBytes: 100_000 } },
    );
    const error = await errorOf(client.fetchManifest(scripted.miner, ACCESS));
    expect(error).toMatchObject({ category: 'invalid_response', bytes: 100_000 });
  });
});

describe('miner client: secrets', () => {
  it('neither error nor span holds address or token, even when the miner repeats both', async () => {
    await using scripted = await meet((response, { headers }) => {
      const reply = `at ${String(headers.host)} ${String(headers.authorization)} http://${String(headers.host)}/x`;
      response.writeHead(500, { 'content-type': 'text/plain' }).end(reply);
    });
    const error = await errorOf(client.fetchManifest(scripted.miner, ACCESS));
    const port = new URL(scripted.miner.baseUrl).port;
    const { attributes, events, status } = spans.last();
    const everything = inspect([error, attributes, events, status], { showHidden: true, depth: 9 });

    expect(error.message).toContain('HTTP 500');
    expect(everything).not.toContain(ACCESS.token);
    expect(everything).not.toContain('127.0.0.1');
    expect(everything).not.toMatch(new RegExp(`\\b${port}\\b`));
  });
});

describe('miner client: closing', () => {
  it('a client can be closed twice, and a dispatcher of the caller stays open', async () => {
    const dispatcher = openMinerAgent();
    await using scripted = await meet(json({ status: 'completed' }), { dispatcher });
    await Promise.all([client.close(), client.close()]);
    expect(await client.pollJobStatus(scripted.miner, JOB_ID)).toEqual({ kind: 'completed' });
    await dispatcher.close();
  });

  it('a call of a closed client fails as validator_internal, not as a fault of the miner', async () => {
    await using scripted = await meet(json({ status: 'completed' }));
    await client.close();
    const error = await errorOf(client.pollJobStatus(scripted.miner, JOB_ID));
    expect(error).toMatchObject({ category: 'validator_internal', retryable: false });
    expect(spans.last().attributes).not.toHaveProperty('weather.response.transport');
    expect(scripted.received).toHaveLength(0);
  });
});
