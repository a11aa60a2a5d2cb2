import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { CategorizedError, ERROR_CATEGORIES } from '#semconv';
import { classifyError, isRetryable } from '#steps';

const coded = (code: string, message = 'failed'): Error => Object.assign(new Error(message), { code });
const thrownBy = (fn: () => unknown): unknown => {
  try {
    fn();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
};

describe('classifyError', () => {
  it('classifyError takes the category that an error names itself before anything else', () => {
    for (const category of ERROR_CATEGORIES) {
      expect(classifyError(new CategorizedError(category, 'Connection timeout 404'))).toBe(category);
    }
    expect(classifyError(Object.assign(new Error('x'), { category: 'made_up' }))).toBe('unknown');
  });

  it.each([
    ['Timeout: ', 'timeout'],
    ['Connection failed: Cannot connect', 'connection'],
    ['Connection timeout', 'timeout'],
    ['HTTP 500: {...}', 'http_5xx'],
    ['Unexpected error: https://203.0.113.9:33333/forecasts/abc.zarr/manifest.json 404', 'not_found'],
    ['Read timed out', 'timeout'],
    ['HTTP 429', 'rate_limited_upstream'],
    ['HTTP 403: forbidden', 'http_4xx'],
    ['HTTP/1.1 404 Not Found', 'not_found'],
    ["404, message='Not Found', url='…'", 'not_found'],
    ['Request failed with status code 502', 'http_5xx'],
    ['out of memory', 'out_of_memory'],
    ['Manifest freeze outside allowed window', 'verification_freeze_window'],
    ['Handshake retry failed', 'handshake'],
    ['No symmetric key found', 'handshake'],
    ['manifest signature is invalid', 'verification_signature'],
    ['Manifest hash changed since it was frozen', 'verification_hash_changed'],
    ['Manifest hash mismatch', 'verification_manifest'],
    ['chunk 2t/0.0.0 checksum mismatch', 'verification_chunk'],
    ['Inference failed on the GPU', 'miner_inference'],
    ['missing variables: 2t, msl', 'data_missing_variable'],
    ['ERA5 for lead 72 is not yet available', 'truth_not_ready'],
    ['canceling statement due to lock timeout', 'lock_busy'],
    ['worker process died with SIGKILL', 'process_crash'],
    ['rate limit exceeded', 'rate_limited_upstream'],
    ['hotkey is not registered', 'rejected_identity'],
    ['malformed response', 'invalid_response'],
    ['No such file: abc.zarr', 'not_found'],
  ])('classifyError reads %j as %s, as a text and as an error', (message, category) => {
    expect(classifyError(new Error(message))).toBe(category);
    expect(classifyError(message)).toBe(category);
  });

  it.each([
    'took 4042 ms',
    'version 1.2.3.4',
    'code:5000',
    'read /srv/validator/.env',
    'rehashed 5 items',
    'the inferences were drawn',
    'disconnection policy: HTTP 200',
    'timeouts500',
    '',
  ])('classifyError finds nothing in %j, so that no number or part of a word counts', (message) => {
    expect(classifyError(new Error(message))).toBe('unknown');
  });

  it.each([
    ['UND_ERR_CONNECT_TIMEOUT', 'timeout'],
    ['UND_ERR_HEADERS_TIMEOUT', 'timeout'],
    ['UND_ERR_BODY_TIMEOUT', 'timeout'],
    ['ETIMEDOUT', 'timeout'],
    ['UND_ERR_SOCKET', 'connection'],
    ['ECONNREFUSED', 'connection'],
    ['ECONNRESET', 'connection'],
    ['EPIPE', 'connection'],
    ['ENOTFOUND', 'connection'],
    ['EAI_AGAIN', 'connection'],
    ['EHOSTUNREACH', 'connection'],
    ['CERT_HAS_EXPIRED', 'handshake'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'handshake'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'handshake'],
    ['HPE_INVALID_CONSTANT', 'invalid_response'],
    ['ENOMEM', 'out_of_memory'],
    ['ENOSPC', 'validator_internal'],
    ['55P03', 'lock_busy'],
    ['40P01', 'lock_busy'],
    ['23505', 'validator_internal'],
    ['XX000', 'validator_internal'],
    ['constructor', 'unknown'],
    ['EWHAT', 'unknown'],
  ])('classifyError knows the code %s as %s', (code, category) => {
    expect(classifyError(coded(code))).toBe(category);
  });

  it('classifyError reads an HTTP status from the properties that HTTP clients use', () => {
    expect(classifyError(Object.assign(new Error('x'), { status: 404 }))).toBe('not_found');
    expect(classifyError(Object.assign(new Error('x'), { statusCode: 503 }))).toBe('http_5xx');
    expect(classifyError(Object.assign(new Error('x'), { response: { status: 400 } }))).toBe('http_4xx');
    expect(classifyError({ status: 408 })).toBe('timeout');
    expect(classifyError(Object.assign(new Error('x'), { status: 200 }))).toBe('unknown');
  });

  it('classifyError classifies real errors of the runtime and of zod', () => {
    const signal = AbortSignal.abort();
    expect(classifyError(thrownBy(() => signal.throwIfAborted()))).toBe('timeout');
    expect(classifyError(new DOMException('late', 'TimeoutError'))).toBe('timeout');
    expect(classifyError(thrownBy(() => JSON.parse('<html>')))).toBe('invalid_response');
    expect(classifyError(thrownBy(() => JSON.parse('')))).toBe('invalid_response');
    expect(classifyError(thrownBy(() => z.string().parse(5)))).toBe('invalid_response');
    expect(classifyError(thrownBy(() => new Array<number>(-1).length))).toBe('out_of_memory');
    expect(classifyError(thrownBy(() => (undefined as unknown as { timeout: number }).timeout))).toBe(
      'validator_internal',
    );
    expect(classifyError(thrownBy(() => new RegExp('(timeout')))).toBe('validator_internal');
  });

  it('classifyError follows causes and members to the first with a category', () => {
    const wrapped = new Error('step failed', {
      cause: new TypeError('fetch failed', { cause: coded('EPIPE') }),
    });
    expect(classifyError(wrapped)).toBe('connection');
    expect(classifyError(new TypeError('fetch failed'))).toBe('connection');
    expect(classifyError(new AggregateError([new Error('x'), coded('ETIMEDOUT')]))).toBe('timeout');
    const known = new CategorizedError('data_extreme', 'too hot');
    expect(classifyError(new Error('connection failed', { cause: known }))).toBe('data_extreme');
  });

  it('classifyError gives a category for anything at all and never throws', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true }), (thrown) => {
        expect(ERROR_CATEGORIES).toContain(classifyError(thrown));
        expect(typeof isRetryable(thrown)).toBe('boolean');
      }),
    );
  });

  it('classifyError stays quick on long and hostile messages', () => {
    const started = performance.now();
    for (const part of ['manifest ', 'inference ', 'freeze ', '4', 'https://', 'worker ']) {
      expect(ERROR_CATEGORIES).toContain(classifyError(new Error(part.repeat(50_000))));
    }
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe('isRetryable', () => {
  it('isRetryable follows the error itself, else its category', () => {
    expect(isRetryable(new CategorizedError('timeout', 'x'))).toBe(false);
    expect(isRetryable(new CategorizedError('not_found', 'x', { retryable: true }))).toBe(true);
    const inside = new CategorizedError('verification_manifest', 'x', { retryable: true });
    expect(isRetryable(new Error('wrapped', { cause: inside }))).toBe(true);
    expect(isRetryable(coded('ECONNRESET'))).toBe(true);
    expect(isRetryable(new Error('HTTP 400'))).toBe(false);
    expect(isRetryable(new Error('HTTP 429'))).toBe(true);
    expect(isRetryable(undefined)).toBe(false);
  });
});
