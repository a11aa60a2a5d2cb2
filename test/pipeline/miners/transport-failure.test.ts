import { describe, expect, it } from 'vitest';
import { toTransportFailure } from '#pipeline/miners/transport-failure';

const withCode = (code: string): Error => Object.assign(new Error('to 203.0.113.9:33333'), { code });

describe('toTransportFailure', () => {
  it.each([
    ['UND_ERR_CONNECT_TIMEOUT', 'timeout'],
    ['UND_ERR_HEADERS_TIMEOUT', 'timeout'],
    ['UND_ERR_BODY_TIMEOUT', 'timeout'],
    ['ETIMEDOUT', 'timeout'],
    ['ECONNREFUSED', 'connection'],
    ['ECONNRESET', 'connection'],
    ['EHOSTUNREACH', 'connection'],
    ['ENOTFOUND', 'connection'],
    ['EAI_AGAIN', 'connection'],
    ['UND_ERR_SOCKET', 'connection'],
    ['EPROTO', 'handshake'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'handshake'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'handshake'],
    ['CERT_HAS_EXPIRED', 'handshake'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'handshake'],
    ['HPE_INVALID_CONSTANT', 'invalid_response'],
    ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'invalid_response'],
    ['UND_ERR_INVALID_ARG', 'validator_internal'],
    ['ERR_INVALID_URL', 'validator_internal'],
    ['UND_ERR_DESTROYED', 'validator_internal'],
    ['NEVER_SEEN', 'unknown'],
  ])('a failure with code %s is classified as %s', (code, category) => {
    expect(toTransportFailure(withCode(code))).toEqual({ category, code });
  });

  it('an aborted call is a timeout, and an error without a code is named by its class', () => {
    expect(toTransportFailure(new DOMException('aborted', 'TimeoutError')).category).toBe('timeout');
    expect(toTransportFailure(new TypeError('x'))).toEqual({ category: 'unknown', code: 'TypeError' });
    expect(toTransportFailure('a string')).toEqual({ category: 'unknown', code: 'unknown' });
  });
});
