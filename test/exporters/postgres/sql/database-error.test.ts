import { describe, expect, it } from 'vitest';
import { isRetryableDatabaseError } from '#postgres/sql/database-error';

const withCode = (code: unknown) => Object.assign(new Error('from the driver'), { code });

describe('isRetryableDatabaseError', () => {
  it.each([
    ['a lost connection', '08006'],
    ['a server that shuts down', '57P01'],
    ['a server that starts up', '57P03'],
    ['a deadlock', '40P01'],
    ['a serialization failure', '40001'],
    ['a full disk', '53100'],
    ['too many connections', '53300'],
    ['a lock that was not given in time', '55P03'],
    ['a statement that took too long', '57014'],
    ['a replica that takes no writes', '25006'],
    ['a password that was changed', '28P01'],
    ['an error of the server itself', 'XX000'],
    ['a refused connection', 'ECONNREFUSED'],
    ['a name that cannot be resolved', 'ENOTFOUND'],
  ])('a batch is retryable after %s (%s)', (_name, code) => {
    expect(isRetryableDatabaseError(withCode(code))).toBe(true);
  });

  it.each([
    ['a null where none may be', '23502'],
    ['a value that a check refuses', '23514'],
    ['a number out of range', '22003'],
    ['text that is no JSON', '22P02'],
    ['a table that is missing', '42P01'],
    ['a row that would be changed twice', '21000'],
    ['something the server cannot do', '0A000'],
    ['a view that refuses the row', '44000'],
    ['a text too long for the index on it', '54000'],
  ])('a batch is not retryable after %s (%s)', (_name, code) => {
    expect(isRetryableDatabaseError(withCode(code))).toBe(false);
  });

  it('a batch is retryable when its partition is missing, whatever the language of the server', () => {
    const dropped = Object.assign(withCode('23514'), { routine: 'ExecFindPartition' });
    expect(isRetryableDatabaseError(dropped)).toBe(true);
  });

  it('a batch is retryable after an unknown error', () => {
    expect(
      [new Error('Connection terminated'), withCode(42), 'text', undefined].map(isRetryableDatabaseError),
    ).toEqual([true, true, true, true]);
  });

  it('a batch is not retryable after a programming error', () => {
    expect(isRetryableDatabaseError(new TypeError('x is not a function'))).toBe(false);
    expect(isRetryableDatabaseError(new RangeError('Invalid time value'))).toBe(false);
    expect(isRetryableDatabaseError(new SyntaxError('Cannot convert 0xspan to a BigInt'))).toBe(false);
  });
});
