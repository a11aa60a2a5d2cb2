import { describe, expect, it } from 'vitest';

import { codeOf, toConnectionError } from '#database/connection-error';
import { CategorizedError } from '#semconv/error-categories';

const URL_WITH_SECRET = 'postgres://anna:s3cret@db.example:5432/weather';

function failure(message: string, code?: string): Error {
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}

describe('toConnectionError', () => {
  it.each([
    ['ECONNREFUSED', 'refused the connection', true],
    ['ECONNRESET', 'closed the connection', true],
    ['ETIMEDOUT', 'did not answer in time', true],
    ['ENOTFOUND', 'cannot be resolved', false],
    ['EAI_AGAIN', 'cannot be resolved at the moment', true],
    ['28P01', 'refused the password', false],
    ['28000', 'refused this user', false],
    ['3D000', 'has no such database', false],
    ['53300', 'has no connection left', true],
    ['57P03', 'is starting up or shutting down', true],
  ])('the code %s is reported as a server that %s', (code, problem, retryable) => {
    const error = toConnectionError(failure('driver text', code), URL_WITH_SECRET);
    expect(error.message).toContain(`PostgreSQL at db.example:5432/weather`);
    expect(error.message).toContain(problem);
    expect(error.retryable).toBe(retryable);
    expect(error.category).toBe('validator_internal');
  });

  it.each([
    ['The server does not support SSL connections', 'sslmode=disable'],
    ['self-signed certificate in certificate chain', 'sslrootcert'],
    ['SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string', 'PGPASSWORD'],
    ['timeout expired', 'firewall'],
    ['Connection terminated unexpectedly', 'log of the server'],
  ])('an error without a code is recognised by its message "%s"', (text, remedy) => {
    expect(toConnectionError(failure(text), URL_WITH_SECRET).message).toContain(remedy);
  });

  it('an unknown error is reported by code or class, never by its text, which may quote secrets', () => {
    expect(toConnectionError(failure('s3cret', 'XX000'), URL_WITH_SECRET).message).toContain('code XX000');
    expect(toConnectionError(new RangeError('s3cret'), URL_WITH_SECRET).message).toContain('RangeError');
    expect(toConnectionError('s3cret', URL_WITH_SECRET).message).toContain('string');
    expect(toConnectionError(new RangeError('s3cret'), URL_WITH_SECRET).message).not.toContain('s3cret');
  });

  it('the original error is kept as the cause', () => {
    const cause = failure('driver text', 'ECONNREFUSED');
    expect(toConnectionError(cause, URL_WITH_SECRET).cause).toBe(cause);
  });

  it('an error with a category is returned unchanged', () => {
    const explained = new CategorizedError('validator_internal', 'too old');
    expect(toConnectionError(explained, URL_WITH_SECRET)).toBe(explained);
  });
});

describe('codeOf', () => {
  it('the code of an error is read where it is a string, and undefined elsewhere', () => {
    expect(codeOf(failure('x', '3D000'))).toBe('3D000');
    expect(codeOf(Object.assign(new Error('x'), { code: 7 }))).toBeUndefined();
    expect(codeOf(null)).toBeUndefined();
    expect(codeOf('text')).toBeUndefined();
  });
});
