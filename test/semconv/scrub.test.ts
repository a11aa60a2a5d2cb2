import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scrubText, scrubValue } from '#semconv';

const HOTKEY = '5F3sa2TJAWMqDhXG6jhV4N8ko9SxwGy8TpaNS1repo5EYjQX';
const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJqb2JfaWQiOiJhYmMifQ.x7x_K-y';
const FERNET = `gAAAAABn${'Zk3_-'.repeat(8)}==`;

describe('scrubText', () => {
  it.each([
    ['connect ECONNREFUSED 203.0.113.9:8091', 'connect ECONNREFUSED [ip]'],
    ['miner at 203.0.113.9.', 'miner at [ip].'],
    ['from [2001:db8::1]:8080', 'from [ip]'],
    ['from 2001:db8:0:0:0:0:0:1 and fe80::1%eth0', 'from [ip] and [ip]'],
    ['listen on ::1 or ::ffff:192.0.2.1', 'listen on [ip] or [ip]'],
    ['getaddrinfo ENOTFOUND miner.example.org', 'getaddrinfo ENOTFOUND [host]'],
    ['https://203.0.113.9:33333/forecasts/abc.zarr/manifest.json 404', 'https://[host]/manifest.json 404'],
    ['http://[2001:db8::1]:80/x', 'http://[host]/x'],
    ['(see https://miner.example.org:8443)', '(see https://[host])'],
    ['postgres://user:pass@db.internal:5432/weather', 'postgres://[host]/weather'],
    ['postgresql://user:p/a@s?s@db:5432/weather', 'postgresql://[host]/weather'],
    ['GET /forecasts/abc.zarr?token=abc.def&x=1', 'GET /abc.zarr?token=[secret]&x=1'],
    ['?access_token=abc&api_key=def', '?access_token=[secret]&api_key=[secret]'],
    ['Authorization: Bearer abc.def', 'Authorization: [secret]'],
    ['with Bearer abc.def-ghi', 'with Bearer [token]'],
    [`token ${JWT} expired`, 'token [token] expired'],
    [`body ${FERNET}`, 'body [token]'],
    ['{"password":"hunter 2","user":"me"}', '{"password":"[secret]","user":"me"}'],
    ["client_secret: 's3cr3t'", "client_secret: '[secret]'"],
    [`symmetric_key=${'5f'.repeat(16)}`, 'symmetric_key=[secret]'],
    [`fernet key ${'5f'.repeat(16)} is old`, 'fernet key [secret] is old'],
    ['-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----', '[secret]'],
    ['read /srv/validator/.env', 'read [path]'],
    ['open /root/.bittensor/wallets/default/hotkeys/v1', 'open [path]'],
    ['open ~/.ssh/id_ed25519', 'open [path]'],
    ['key at /etc/tls/server.key', 'key at [path]'],
    ["ENOENT: no such file, open '/srv/validator/data/gfs.nc'", "ENOENT: no such file, open '/gfs.nc'"],
    ['C:\\Users\\jane\\gfs.nc is locked', '/gfs.nc is locked'],
    ['at file:///home/jane/app/step.ts:3:5', 'at /step.ts:3:5'],
  ])('scrubText hides the secret, address or path in %j', (text, scrubbed) => {
    expect(scrubText(text)).toBe(scrubbed);
  });

  it.each([
    'version 1.2.3.4',
    'release: 10.0.0.1',
    'package==1.2.3.4',
    'v1.2.3.4',
    '1.2.3.4.5',
    '999.1.1.1',
    'code:5000',
    '12:30:4500',
    'at 12:30:45 and [12:30:45]',
    '2026-11-23T12:30:45.000Z',
    'aa:bb:cc:dd:ee:ff',
    'std::vector and dead::beef',
    HOTKEY,
    `manifest ${'b5c1'.repeat(16)}`,
    'c868cfc6-3641-44c6-82f7-3d0eb3a0d155',
    'Unexpected token < in JSON at position 0',
    'and/or, m/s, application/json, src/steps/step.ts, ../x',
    'max_tokens=5',
    'era5_scoring_72h',
    '',
  ])('scrubText leaves %j as it is', (text) => {
    expect(scrubText(text)).toBe(text);
  });

  const part = fc.oneof(
    fc.constantFrom(
      '203.0.113.9',
      ':8091',
      '[2001:db8::1]',
      '::1',
      'https://',
      'user:pass@',
      '/srv/validator/',
      '.env',
    ),
    fc.constantFrom(
      'token=',
      'Bearer ',
      JWT,
      FERNET,
      HOTKEY,
      '"',
      "'",
      ' ',
      '/',
      '\\',
      ':',
      '[',
      ']',
      '@',
      '?',
      '&',
    ),
    fc.constantFrom(
      'password: ',
      'authorization: ',
      'fernet key ',
      'C:\\a\\b',
      'file:///',
      '~',
      '[ip]',
      '[secret]',
      '=',
    ),
    fc.string(),
  );

  it('scrubText is idempotent', () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const once = scrubText(parts.join(''));
        expect(scrubText(once)).toBe(once);
      }),
      { numRuns: 3000, seed: 20261123 },
    );
  });

  it('scrubText hides an address and a token wherever they stand between words', () => {
    fc.assert(
      fc.property(fc.lorem(), fc.lorem(), fc.ipV4(), fc.ipV6(), (before, after, ipV4, ipV6) => {
        const scrubbed = scrubText(`${before} ${ipV4}:8091 ${after} [${ipV6}]:443 ${JWT}`);
        expect(scrubbed).toBe(`${before} [ip] ${after} [ip] [token]`);
      }),
      { seed: 20261123 },
    );
  });

  it('scrubText takes linear time, whatever the text is made of', () => {
    const started = performance.now();
    for (const unit of [
      '/',
      'a/',
      'a@',
      'http://',
      '1.',
      ':',
      'a-',
      'token',
      '[',
      '\\',
      'key ',
      'eyJ',
      'a:',
    ]) {
      expect(scrubText(unit.repeat(8192 / unit.length)).length).toBeGreaterThan(0);
    }
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe('scrubValue', () => {
  it('scrubValue scrubs texts and keys at any depth, and hides values by their key', () => {
    expect(
      scrubValue({
        url: 'https://203.0.113.9/x',
        list: [{ accessToken: 'abc', api_key: 5, max_tokens: 7, password: null }],
        '203.0.113.9': 1,
        ip: 3405803785,
        axon: { port: 8091, ip_address: '203.0.113.9' },
        privateKey: { d: 'abc' },
        nothing: null,
      }),
    ).toEqual({
      url: 'https://[host]/x',
      list: [{ accessToken: '[secret]', api_key: '[secret]', max_tokens: 7, password: null }],
      '[ip]': 1,
      ip: '[secret]',
      axon: { port: '[secret]', ip_address: '[secret]' },
      privateKey: '[secret]',
      nothing: null,
    });
  });

  it('scrubValue leaves other values as they are and ends on a cycle', () => {
    const date = new Date(0);
    const cyclic: Record<string, unknown> = { date, count: 1 };
    expect((scrubValue(cyclic) as { date: Date }).date).toBe(date);
    cyclic['self'] = cyclic;
    expect(JSON.stringify(scrubValue(cyclic))).toContain('[deep]');
  });

  it('scrubValue keeps a key named __proto__ as a key', () => {
    const scrubbed = scrubValue(JSON.parse('{"__proto__":{"token":"x"}}')) as object;
    expect(Object.getPrototypeOf(scrubbed)).toBe(Object.prototype);
    expect(JSON.stringify(scrubbed)).toBe('{"__proto__":{"token":"[secret]"}}');
  });

  it('scrubValue is idempotent', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const once = scrubValue(value);
        expect(scrubValue(once)).toEqual(once);
      }),
      { seed: 20261123 },
    );
  });
});
