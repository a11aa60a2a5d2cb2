import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { issueToken, readToken } from '#fleet/access-token';

const secret = new Uint8Array(32).fill(1);
const claims = { job_id: 'job', file_path: 'a.zarr', exp: 1000 };
const before = new Date(999_999);

describe('access token', () => {
  it('a token yields its claims until it expires', () => {
    const token = issueToken(claims, secret);
    expect(readToken(token, secret, before)).toEqual(claims);
    expect(readToken(token, secret, new Date(1_000_000))).toBeNull();
  });

  it('a token is invalid with another secret, or after any change', () => {
    const token = issueToken(claims, secret);
    expect(readToken(token, new Uint8Array(32), before)).toBeNull();
    fc.assert(
      fc.property(fc.nat(token.length - 3), fc.constantFrom('A', 'b', '7', '-'), (place, character) => {
        fc.pre(token[place] !== character);
        expect(
          readToken(token.slice(0, place) + character + token.slice(place + 1), secret, before),
        ).toBeNull();
      }),
    );
  });

  it('a token without signature, with another algorithm or with malformed claims is rejected', () => {
    const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = (header: object, payload: unknown): string => {
      const text = `${encode(header)}.${encode(payload)}`;
      return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
    };
    const HS256 = { alg: 'HS256', typ: 'JWT' };
    expect(readToken(signed(HS256, claims), secret, before)).toEqual(claims);
    expect(readToken(`${encode({ alg: 'none', typ: 'JWT' })}.${encode(claims)}.`, secret, before)).toBeNull();
    expect(readToken(signed({ alg: 'none', typ: 'JWT' }, claims), secret, before)).toBeNull();
    expect(readToken(signed(HS256, { ...claims, exp: 'later' }), secret, before)).toBeNull();
    for (const text of ['', 'a', 'a.b', 'a.b.c', 'a.b.c.d'])
      expect(readToken(text, secret, before)).toBeNull();
  });
});
