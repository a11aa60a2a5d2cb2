import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { describeConnectionTarget, parseConnectionTarget } from '#database/connection-target';

describe('connection target', () => {
  it('a target is host, port and database, without user and password', () => {
    expect(describeConnectionTarget('postgres://anna:s3cret@db.example:6543/weather?sslmode=require')).toBe(
      'db.example:6543/weather',
    );
  });

  it('the defaults are those of PostgreSQL: port 5432 and a database named as the user', () => {
    expect(parseConnectionTarget('postgresql://anna@db.example')).toEqual({
      host: 'db.example',
      port: 5432,
      database: 'anna',
    });
  });

  it('host and port of the query override those of the URL, as in libpq', () => {
    expect(parseConnectionTarget('postgres:///weather?host=/run/postgresql&port=5433')).toEqual({
      host: '/run/postgresql',
      port: 5433,
      database: 'weather',
    });
  });

  it('an IPv6 address is kept complete', () => {
    expect(describeConnectionTarget('postgres://anna@[::1]:5432/weather')).toBe('[::1]:5432/weather');
  });

  it('the target never contains the password, whatever it is', () => {
    const secret = fc.string({ minLength: 8 }).map((text) => `pw-${text}`);
    fc.assert(
      fc.property(secret, (password) => {
        const url = `postgres://anna:${encodeURIComponent(password)}@db.example/weather`;
        expect(describeConnectionTarget(url)).not.toContain(password);
      }),
    );
  });

  it.each([
    'postgres://anna:5432/s3cret@db:5432/weather',
    'postgres://anna:1#s3cret@db/weather',
    'postgres://anna:1?s3cret@db/weather',
    'postgres://anna:p@s3cret/x@db/weather',
    'postgres://anna:s3cret@db/weather#x',
    'postgres//anna:s3cret@db/weather',
  ])(
    'a password that is not percent-encoded is refused, since the target would show a part of it: %s',
    (given) => {
      expect(() => describeConnectionTarget(given)).toThrow(/special characters percent-encoded/);
      expect(() => describeConnectionTarget(given)).not.toThrow(/s3cret/);
    },
  );

  it('an address in the query and encoded characters are no stray password', () => {
    expect(describeConnectionTarget('postgres://anna%40corp:p%40s%2F@db/weather?application_name=a@b')).toBe(
      'db:5432/weather',
    );
  });

  it.each(['', 'db.example', 'mysql://anna:s3cret@db.example/weather', 'host=db password=s3cret'])(
    'the string "%s" is rejected with the allowed form and without repeating it',
    (given) => {
      expect(() => parseConnectionTarget(given)).toThrow(/Allowed: postgres:\/\/user:password@host/);
      expect(() => parseConnectionTarget(given)).not.toThrow(/s3cret/);
    },
  );
});
