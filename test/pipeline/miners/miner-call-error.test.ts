import { describe, expect, it } from 'vitest';
import { MinerCallError, type Operation } from '#pipeline/miners/miner-call-error';
import type { ErrorCategory } from '#semconv';

const isRetryable = (
  operation: Operation,
  category: ErrorCategory,
  statusCode: number | null = null,
): boolean =>
  new MinerCallError(operation, category, {
    message: 'x',
    progress: { statusCode, bytes: 0, wireStatus: null },
  }).retryable;

describe('whether a call is worth another attempt', () => {
  it.each(['timeout', 'connection', 'handshake', 'http_5xx', 'rate_limited_upstream'] as const)(
    'whether a call is worth another attempt after %s it always is',
    (category) => {
      expect(isRetryable('initiate_fetch', category)).toBe(true);
      expect(isRetryable('forecast_file', category)).toBe(true);
    },
  );

  it('whether a call is worth another attempt after a refused or garbled initiate-fetch it is not', () => {
    expect(isRetryable('initiate_fetch', 'http_4xx', 422)).toBe(false);
    expect(isRetryable('initiate_fetch', 'not_found', 404)).toBe(false);
    expect(isRetryable('initiate_fetch', 'invalid_response', 200)).toBe(false);
  });

  it('whether a call is worth another attempt after any failed poll it is, for the miner has accepted the job', () => {
    expect(isRetryable('poll_job_status', 'http_4xx', 400)).toBe(true);
    expect(isRetryable('poll_job_status', 'invalid_response', 200)).toBe(true);
  });

  it('whether a call is worth another attempt after an expired token it is, for the next attempt brings a fresh one; after a forbidden path it is not', () => {
    expect(isRetryable('forecast_file', 'http_4xx', 401)).toBe(true);
    expect(isRetryable('forecast_file', 'http_4xx', 403)).toBe(false);
    expect(isRetryable('kerchunk_request', 'invalid_response', 200)).toBe(true);
  });

  it('whether a call is worth another attempt after a fault of our own it never is', () => {
    expect(isRetryable('poll_job_status', 'validator_internal')).toBe(false);
  });
});
