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

describe('MinerCallError: retryable', () => {
  it.each(['timeout', 'connection', 'handshake', 'http_5xx', 'rate_limited_upstream'] as const)(
    'a call that failed as %s is always retryable',
    (category) => {
      expect(isRetryable('initiate_fetch', category)).toBe(true);
      expect(isRetryable('forecast_file', category)).toBe(true);
    },
  );

  it('a rejected or malformed initiate-fetch is final', () => {
    expect(isRetryable('initiate_fetch', 'http_4xx', 422)).toBe(false);
    expect(isRetryable('initiate_fetch', 'not_found', 404)).toBe(false);
    expect(isRetryable('initiate_fetch', 'invalid_response', 200)).toBe(false);
  });

  it('any failed poll is retryable, because the miner has accepted the job', () => {
    expect(isRetryable('poll_job_status', 'http_4xx', 400)).toBe(true);
    expect(isRetryable('poll_job_status', 'invalid_response', 200)).toBe(true);
  });

  it('an expired token is retryable, because the next attempt has a fresh one; a forbidden path is final', () => {
    expect(isRetryable('forecast_file', 'http_4xx', 401)).toBe(true);
    expect(isRetryable('forecast_file', 'http_4xx', 403)).toBe(false);
    expect(isRetryable('kerchunk_request', 'invalid_response', 200)).toBe(true);
  });

  it('an internal fault of the validator is never retryable', () => {
    expect(isRetryable('poll_job_status', 'validator_internal')).toBe(false);
  });
});
