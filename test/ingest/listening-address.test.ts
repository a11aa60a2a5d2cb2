import { describe, expect, it } from 'vitest';
import { isLoopback } from '#http/doors';
import { requireSafeAddress, toListenError, toUrl } from '#ingest/listening-address';
import { CategorizedError } from '#semconv';

describe('an address to listen on', () => {
  it.each([
    ['127.0.0.1', true],
    ['127.8.9.10', true],
    ['::1', true],
    ['localhost', true],
    ['0.0.0.0', false],
    ['::', false],
    ['192.0.2.7', false],
    ['127.0.0.1.example.org', false],
    ['example.org', false],
    ['', false],
  ])('isLoopback(%s) is %s', (host, expected) => {
    expect(isLoopback(host)).toBe(expected);
  });

  it('an address that is not loopback needs a token, and the error names the variable', () => {
    expect(() => requireSafeAddress('0.0.0.0', false)).toThrow(CategorizedError);
    expect(() => requireSafeAddress('0.0.0.0', false)).toThrow(/BAROGRAPH_INGEST_TOKEN/);
    expect(() => requireSafeAddress('0.0.0.0', true)).not.toThrow();
    expect(() => requireSafeAddress('127.0.0.1', false)).not.toThrow();
  });

  it('the URL of an IPv6 address has brackets', () => {
    expect(toUrl('127.0.0.1', 4318)).toBe('http://127.0.0.1:4318');
    expect(toUrl('::1', 4318)).toBe('http://[::1]:4318');
  });

  it('a port that cannot be bound gives an error with the reason and the variables', () => {
    const cause = Object.assign(new Error('no'), { code: 'EACCES' });
    const { message } = toListenError(cause, { host: '127.0.0.1', port: 80 });
    expect(message).toContain('port 80 of 127.0.0.1, for spans of other programs, cannot be opened (EACCES)');
    expect(message).toContain('BAROGRAPH_INGEST_PORT');
    expect(toListenError('odd', { host: '::1', port: 1 }).message).toContain('unknown');
  });
});
