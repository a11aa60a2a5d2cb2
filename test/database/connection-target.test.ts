import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { describeConnectionTarget, parseConnectionTarget } from '#database/connection-target';

describe('the target of a connection string', () => {
  it('the target of a connection string is host, port and database, and nothing of who enters', () => {
    expect(describeConnectionTarget('postgres://anna:s3cret@db.example:6543/weather?sslmode=require')).toBe(
      'db.example:6543/weather',
    );
  });

  it('the target of a connection string falls back to what PostgreSQL itself takes: port 5432 and the database named as the user', () => {
    expect(parseConnectionTarget('postgresql://anna@db.example')).toEqual({
      host: 'db.example',
      port: 5432,
      database: 'anna',
    });
  });

  it('the target of a connection string takes host and port of the query, as libpq does for socket folders', () => {
    expect(parseConnectionTarget('postgres:///weather?host=/run/postgresql&port=5433')).toEqual({
      host: '/run/postgresql',
      port: 5433,
      database: 'weather',
    });
  });

  it('the target of a connection string keeps an IPv6 address whole', () => {
    expect(describeConnectionTarget('postgres://anna@[::1]:5432/weather')).toBe('[::1]:5432/weather');
  });

  it('the target of a connection string never holds the password, whatever it is', () => {
    const secret = fc.string({ minLength: 8 }).map((text) => `pw-${text}`);
    fc.assert(
      fc.property(secret, (password) => {
        const url = `postgres://anna:${encodeURIComponent(password)}@db.example/weather`;
        expect(describeConnectionTarget(url)).not.toContain(password);
      }),
    );
  });

  it.each(['', 'db.example', 'mysql://anna:s3cret@db.example/weather', 'host=db password=s3cret'])(
    'the target of a connection string refuses "%s" with what is allowed, and without repeating it',
    (given) => {
      expect(() => parseConnectionTarget(given)).toThrow(/Allowed: postgres:\/\/user:password@host/);
      expect(() => parseConnectionTarget(given)).not.toThrow(/s3cret/);
    },
  );
});
