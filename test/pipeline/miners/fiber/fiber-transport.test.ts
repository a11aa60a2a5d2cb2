import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { MinerCallError } from '#pipeline/miners/index';
import { captureSpans, contextOf } from '#test/pipeline/support/captured-spans';
import { HOTKEY, JOB_ID, json, type Received } from '../scripted-miner.ts';
import {
  CANARY,
  NOW,
  SIGNER,
  startSignedMiner,
  type SignedMiner,
  type SignedOptions,
} from './signed-miner.ts';

const REQUEST = { initTime: new Date('2026-11-26T00:00:00Z'), validatorHotkey: SIGNER.hotkey };
const [OFFER, EXCHANGE, FETCH] = [
  '/public-encryption-key',
  '/exchange-symmetric-key',
  '/weather-initiate-fetch',
];
const HANDSHAKE = [OFFER, EXCHANGE];

const spans = captureSpans();
afterEach(() => spans.reset());

const fetchFrom = ({ client, miner }: SignedMiner) => client.initiateFetch(miner, REQUEST);

async function errorOf(call: Promise<unknown>): Promise<MinerCallError> {
  const error: unknown = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof MinerCallError) return error;
  throw new Error(`no MinerCallError was thrown, but ${inspect(error)}`);
}

const text =
  (statusCode: number, body: string, type = 'text/plain; charset=utf-8') =>
  (response: ServerResponse): void => {
    response.writeHead(statusCode, { 'content-type': type }).end(body);
  };

/** Answers with the date of a clock that is so far ahead of the caller's, seconds. */
const dated =
  (aheadSeconds: number, answer: (response: ServerResponse) => void) =>
  (response: ServerResponse): void => {
    response.setHeader('date', new Date(NOW + aheadSeconds * 1000).toUTCString());
    answer(response);
  };

/** Answers a path otherwise, the first times that it is asked for. */
function insteadOf(
  path: string | undefined,
  answer: (response: ServerResponse) => void,
  times = Infinity,
): Required<Pick<SignedOptions, 'instead'>> {
  let left = times;
  return { instead: ({ url }: Received) => (url === path && left-- > 0 ? answer : undefined) };
}

describe('fiber transport: the handshake', () => {
  it('the first request agrees on a key, and those that follow use it, each with a nonce of its own', async () => {
    await using signed = await startSignedMiner();
    await expect(fetchFrom(signed)).resolves.toEqual({ kind: 'accepted', jobId: JOB_ID });
    expect(signed.pathsSince()).toEqual([...HANDSHAKE, FETCH]);
    await fetchFrom(signed);
    expect(signed.pathsSince()).toEqual([FETCH]);

    const headers = signed.received.map((request) => request.headers);
    const nonces = headers.map((of) => of['nonce']).filter((nonce) => nonce !== undefined);
    expect(new Set(nonces).size).toBe(3);
    expect(new Set(headers.map((of) => of['symmetric-key-uuid'])).size).toBe(2);
    expect(headers.at(-1)).toMatchObject({
      'content-type': 'application/octet-stream',
      'validator-hotkey': SIGNER.hotkey,
      'miner-hotkey': HOTKEY,
      'symmetric-key-uuid': expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });
    expect(signed.accepted[0]).toEqual({
      data: expect.objectContaining({ expected_miner_hotkey: HOTKEY }) as object,
      nonce: expect.stringMatching(/^\d{19}_\w{10}$/) as string,
    });
    expect(headers.map((of) => of['nonce'])).not.toContain((signed.accepted[0] as { nonce: string }).nonce);
  });

  it('a request with its handshake is one communication step, with the rows of a plain one', async () => {
    await using signed = await startSignedMiner();
    await fetchFrom(signed);
    expect(spans.of()).toHaveLength(1);
    expect(spans.last().attributes).toMatchObject({
      'weather.step.name': 'communication',
      'weather.step.substep': 'initiate_fetch',
      'weather.step.status': 'succeeded',
      'weather.response.transport': 'success',
      'weather.response.wire_status': 'fetch_accepted',
      'http.request.method': 'POST',
      'http.response.status_code': 200,
    });
    expect(contextOf(spans.last())).toMatchObject({ kind: 'accepted', handshake_ms: 0 });
    await fetchFrom(signed);
    expect(contextOf(spans.last())).not.toHaveProperty('handshake_ms');
  });

  it('requests at the same time share one handshake, and share its failure each as its own', async () => {
    await using signed = await startSignedMiner();
    await Promise.all([fetchFrom(signed), fetchFrom(signed), fetchFrom(signed)]);
    expect(signed.pathsSince().toSorted()).toEqual([EXCHANGE, OFFER, FETCH, FETCH, FETCH].toSorted());

    await using broken = await startSignedMiner(insteadOf(OFFER, text(503, 'busy')));
    const [one, other] = await Promise.all([
      errorOf(fetchFrom(broken)),
      errorOf(broken.client.pollJobStatus(broken.miner, JOB_ID)),
    ]);
    expect(broken.pathsSince()).toEqual([OFFER]);
    expect([one.operation, other.operation]).toEqual(['initiate_fetch', 'poll_job_status']);
    expect([one.category, other.category]).toEqual(['http_5xx', 'http_5xx']);
  });

  it('a key is renewed after two hours, and not before', async () => {
    await using signed = await startSignedMiner();
    await fetchFrom(signed);
    signed.passMillis(2 * 3_600_000 - 1);
    signed.pathsSince();
    await fetchFrom(signed);
    expect(signed.pathsSince()).toEqual([FETCH]);
    signed.passMillis(1);
    await fetchFrom(signed);
    expect(signed.pathsSince()).toEqual([...HANDSHAKE, FETCH]);
  });

  it('a miner that lost its keys gets a new one, and the request once more', async () => {
    await using signed = await startSignedMiner();
    await fetchFrom(signed);
    signed.forgetKeys();
    signed.pathsSince();
    await expect(fetchFrom(signed)).resolves.toMatchObject({ kind: 'accepted' });
    expect(signed.pathsSince()).toEqual([FETCH, ...HANDSHAKE, FETCH]);
  });

  it('a miner that knows no key right after it was agreed on fails as handshake, after two requests', async () => {
    const lost = json({ detail: 'No symmetric key found for that hotkey and uuid' }, 400);
    await using signed = await startSignedMiner(insteadOf(FETCH, lost));
    const error = await errorOf(fetchFrom(signed));
    expect(error).toMatchObject({ category: 'handshake', statusCode: 400, retryable: true });
    expect(error.message).toContain('It has lost the key that was agreed on');
    expect(signed.pathsSince()).toEqual([...HANDSHAKE, FETCH, ...HANDSHAKE, FETCH]);
  });

  it('a connection that breaks under a known key is tried once more with a new one; under a new key it is not', async () => {
    const reset = (response: ServerResponse): void => void response.socket?.resetAndDestroy();
    await using fresh = await startSignedMiner(insteadOf(FETCH, reset));
    expect(await errorOf(fetchFrom(fresh))).toMatchObject({ category: 'connection', retryable: true });
    expect(fresh.pathsSince()).toEqual([...HANDSHAKE, FETCH]);

    let isBroken = false;
    await using known = await startSignedMiner({
      instead: ({ url }) => (isBroken && url === FETCH ? ((isBroken = false), reset) : undefined),
    });
    await fetchFrom(known);
    known.pathsSince();
    isBroken = true;
    await expect(fetchFrom(known)).resolves.toMatchObject({ kind: 'accepted' });
    expect(known.pathsSince()).toEqual([FETCH, ...HANDSHAKE, FETCH]);
  });

  const smallKey = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
  /** A key of 2048 bits whose numbers a hostile miner has changed. */
  const forged = (change: (numbers: { n: Buffer; e: Buffer }) => unknown) => {
    const { n = '', e = '' } = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({
      format: 'jwk',
    });
    const numbers = { n: Buffer.from(n, 'base64url'), e: Buffer.from(e, 'base64url') };
    change(numbers);
    const key = { kty: 'RSA', n: numbers.n.toString('base64url'), e: numbers.e.toString('base64url') };
    return json({
      public_key: createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' }),
    });
  };
  it.each([
    ['no JSON', text(200, '<html>')],
    ['another shape', json({ key: 1 })],
    ['no PEM', json({ public_key: '-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----' })],
    ['a key that encrypts nothing (exponent 1)', forged((numbers) => (numbers.e = Buffer.from([1])))],
    ['a key that cannot encrypt (even modulus)', forged(({ n }) => n.writeUInt8(0xf0, n.length - 1))],
    ['a short key', json({ public_key: smallKey.export({ type: 'spki', format: 'pem' }) })],
    [
      'a key of another kind',
      json({ public_key: generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }) }),
    ],
  ])('an offer with %s fails as handshake, and says what is allowed', async (_, answer) => {
    await using signed = await startSignedMiner(insteadOf(OFFER, answer));
    const error = await errorOf(fetchFrom(signed));
    expect(error).toMatchObject({ category: 'handshake', retryable: true, statusCode: 200 });
    expect(error.message).toBe(
      'miner 17 offers no key that can be used before initiate_fetch; allowed: an RSA key of 2048 to 8192 bits as public_key, in PEM',
    );
    expect(spans.last().attributes).toMatchObject({ 'error.type': 'handshake' });
  });
});

describe('fiber transport: refusals', () => {
  it.each([
    [
      401,
      json({ detail: 'cannot decrypt that symmetric key' }, 401),
      'handshake',
      /could not decrypt the key/,
    ],
    [
      403,
      json({ detail: 'Insufficient stake of 3' }, 403),
      'http_4xx',
      /does not serve 5\w+: that hotkey has to/,
    ],
    [
      404,
      json({ detail: 'Not Found' }, 404),
      'handshake',
      /agrees on no keys: use --fiber-dialect unencrypted/,
    ],
    [429, text(429, ''), 'rate_limited_upstream', /allowed: 200$/],
    [502, text(502, '<html>bad gateway', 'text/html'), 'http_5xx', /"<html>bad gateway"; allowed: 200$/],
  ] as const)(
    'an exchange of keys that is answered with HTTP %i fails as told',
    async (status, answer, category, words) => {
      await using signed = await startSignedMiner(insteadOf(EXCHANGE, answer));
      const error = await errorOf(fetchFrom(signed));
      expect(error).toMatchObject({ category, statusCode: status, operation: 'initiate_fetch' });
      expect(error.message).toMatch(
        /^miner 17 answered the exchange of a key, before initiate_fetch, with HTTP/,
      );
      expect(error.message).toMatch(words);
      expect(signed.pathsSince()).toEqual(HANDSHAKE);
    },
  );

  it.each([
    [403, json({ detail: 'Hotkey not found in metagraph' }, 403), 'http_4xx', false, /has to be registered/],
    [401, json({ detail: 'invalid signature' }, 401), 'http_4xx', true, /did not accept the signature of 5/],
    [401, json({ detail: 'nonce not valid' }, 401), 'http_4xx', true, /refused the nonce.*within 120 s/],
    [404, json({ detail: 'Not Found' }, 404), 'not_found', false, /allowed: 200$/],
    [413, text(413, '<html>', 'text/html'), 'http_4xx', false, /allowed: 200$/],
    [500, text(500, 'Traceback (most recent call last):\n  File "x"'), 'http_5xx', true, /"Traceback .*File/],
    [503, text(503, 'Service Unavailable'), 'http_5xx', true, /"Service Unavailable"; allowed: 200$/],
  ] as const)(
    'a request that is answered with HTTP %i is not tried again',
    async (status, answer, category, retryable, words) => {
      await using signed = await startSignedMiner(insteadOf(FETCH, dated(0, answer)));
      const error = await errorOf(fetchFrom(signed));
      expect(error).toMatchObject({ category, statusCode: status, retryable });
      expect(error.message).toMatch(words);
      expect(signed.pathsSince()).toEqual([...HANDSHAKE, FETCH]);
      expect(spans.last().attributes).toMatchObject({
        'error.type': category,
        'weather.response.transport': 'failure',
      });
    },
  );

  it.each([
    [119, null],
    [-119, null],
    [121, '121 s ahead of'],
    [-3600, '3600 s behind'],
  ])(
    'a miner whose clock is %i s ahead is told as such, beyond the window only',
    async (skewSeconds, words) => {
      await using signed = await startSignedMiner({ skewSeconds });
      if (words === null) {
        await expect(fetchFrom(signed)).resolves.toMatchObject({ kind: 'accepted' });
        return;
      }
      const error = await errorOf(fetchFrom(signed));
      expect(error).toMatchObject({ category: 'http_4xx', statusCode: 401, retryable: true });
      expect(error.message).toContain(
        `The miner's clock is ${words} this machine's, and requests are accepted within 120 s`,
      );
    },
  );

  it('a traceback is one line of at most 80 characters, without key, uuid, signature or address', async () => {
    let sent: Received | undefined;
    const repeat = ({ url, headers, body }: Received) =>
      url === FETCH
        ? (response: ServerResponse): void => {
            sent = { method: 'POST', url, headers, body };
            const echo = [headers['symmetric-key-uuid'], headers['signature'], headers.host, body].join('\n');
            text(500, `${echo}${'x'.repeat(100_000)}`)(response);
          }
        : undefined;
    await using signed = await startSignedMiner({ instead: repeat });
    const error = await errorOf(fetchFrom(signed));
    const { attributes, events, status } = spans.last();
    const everything = inspect([error, attributes, events, status], { showHidden: true, depth: 9 });
    for (const secret of [
      sent?.headers['symmetric-key-uuid'],
      sent?.headers['signature'],
      sent?.headers.host,
    ])
      expect(everything).not.toContain(secret);
    expect(everything).not.toContain(sent?.body.slice(0, 40));
    expect(everything).not.toContain(CANARY.slice(0, 16));
    expect(error.message.length).toBeLessThan(250);
    expect(error.message).not.toContain('\n');
  });
});

describe('fiber transport: time-outs', () => {
  it('a miner that is silent for longer than the library allows fails as timeout, before the limit of its request', async () => {
    const silent = (): void => undefined;
    await using signed = await startSignedMiner({ ...insteadOf(FETCH, silent), silenceMillis: 100 });
    const error = await errorOf(fetchFrom(signed));
    expect(error).toMatchObject({ category: 'timeout', retryable: true });
    expect(error.message).toBe(
      'initiate_fetch brought no complete reply from miner 17, which was silent for 100 ms (UND_ERR_HEADERS_TIMEOUT)',
    );
  });

  it('a handshake has the limit of the request that needs it', async () => {
    const silent = (): void => undefined;
    const options = { ...insteadOf(OFFER, silent), timeouts: { initiateFetch: 60 } };
    await using signed = await startSignedMiner(options);
    const error = await errorOf(fetchFrom(signed));
    expect(error).toMatchObject({ category: 'timeout', retryable: true });
    expect(error.message).toMatch(
      /^the request for its public key, before initiate_fetch, brought no .* within 60 ms/,
    );
  });
});

describe('fiber transport: the unencrypted dialect', () => {
  it('a request is plain JSON without a handshake, and its exact bytes are signed', async () => {
    await using signed = await startSignedMiner({ dialect: 'unencrypted' });
    await expect(fetchFrom(signed)).resolves.toMatchObject({ kind: 'accepted' });
    expect(signed.pathsSince()).toEqual([FETCH]);
    expect(signed.received[0]?.headers).toMatchObject({ 'content-type': 'application/json' });
    expect(signed.received[0]?.headers).not.toHaveProperty('symmetric-key-uuid');
    expect(signed.accepted[0]).toMatchObject({ data: { expected_miner_hotkey: HOTKEY } });
  });

  it('a miner whose answers are dated far off is told as such, because it gives its time nowhere else', async () => {
    const refused = json({ detail: 'nonce not valid' }, 401);
    const options = { dialect: 'unencrypted', ...insteadOf(FETCH, dated(-500, refused)) } as const;
    await using signed = await startSignedMiner(options);
    const error = await errorOf(fetchFrom(signed));
    expect(error).toMatchObject({ category: 'http_4xx', statusCode: 401 });
    expect(error.message).toContain("The miner's clock is 500 s behind this machine's");
  });

  it('a miner of the other dialect is told by what it answers, in both directions', async () => {
    await using unencrypted = await startSignedMiner({ dialect: 'unencrypted', callersDialect: 'encrypted' });
    const refused = await errorOf(fetchFrom(unencrypted));
    expect(refused).toMatchObject({ category: 'handshake', statusCode: 404 });
    expect(refused.message).toContain('It agrees on no keys: use --fiber-dialect unencrypted');

    await using encrypted = await startSignedMiner({ callersDialect: 'unencrypted' });
    const error = await errorOf(fetchFrom(encrypted));
    expect(error).toMatchObject({ category: 'http_4xx', statusCode: 422, retryable: false });
    expect(error.message).toContain('It takes encrypted requests only: --fiber-dialect encrypted');
  });
});
