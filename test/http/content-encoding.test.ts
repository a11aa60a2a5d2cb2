import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { acceptsGzip, compress } from '../../src/http/content-encoding.ts';

describe('an Accept-Encoding header', () => {
  it.each([
    'gzip',
    'GZIP',
    'x-gzip',
    'deflate, gzip;q=1.0, *;q=0.5',
    'gzip;q=0.001',
    'identity;q=0.5, gzip;q=0.5',
    '*',
    'br, *;q=0.1',
    ' gzip ; q=0.3 ',
  ])('%j takes gzip', (header) => {
    expect(acceptsGzip(header)).toBe(true);
  });

  it.each([
    undefined,
    '',
    'identity',
    'br, deflate',
    'gzip;q=0',
    'gzip;q=0.000',
    'gzip;q=0, *',
    '*;q=0',
    'identity, gzip;q=0.9',
    'gzip;q=2',
    'gzip;q=-1',
    'gzip;q=often',
  ])('%j does not', (header) => {
    expect(acceptsGzip(header)).toBe(false);
  });
});

describe('a compressed text', () => {
  it('is the text, also where it is more than a byte a letter', async () => {
    const text = 'Grüße aus 10 °C\n'.repeat(100);
    const compressed = await compress(text);
    expect(gunzipSync(compressed).toString()).toBe(text);
    expect(compressed.byteLength).toBeLessThan(200);
  });
});
