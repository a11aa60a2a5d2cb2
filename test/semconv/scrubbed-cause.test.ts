import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { scrubbedCause } from '#semconv/scrubbed-cause';

const refused = (address: string): Error =>
  Object.assign(new Error(`connect ECONNREFUSED ${address}`), { code: 'ECONNREFUSED', address, port: 33333 });

describe('scrubbedCause', () => {
  it('class, code, causes and members of an error are kept, so that its record shows what was thrown', () => {
    const members = [refused('203.0.113.9:33333'), refused('[2001:db8::1]:33333')];
    const several = Object.assign(new AggregateError(members, 'all failed'), { code: 'ECONNREFUSED' });
    const copy = scrubbedCause(new TypeError('fetch failed', { cause: several }));

    expect(copy).toMatchObject({ name: 'TypeError', message: 'fetch failed' });
    expect(copy.cause).toMatchObject({
      name: 'AggregateError',
      code: 'ECONNREFUSED',
      errors: [
        { message: 'connect ECONNREFUSED [ip]', code: 'ECONNREFUSED' },
        { message: 'connect ECONNREFUSED [ip]', code: 'ECONNREFUSED' },
      ],
    });
  });

  it('no property of the original is kept but these, so that printing the copy shows no address', () => {
    const shown = inspect(scrubbedCause(refused('203.0.113.9:33333')), { showHidden: true, depth: 9 });
    expect(shown).not.toMatch(/203\.0\.113\.9|33333/);
  });

  it('a host and a token that the caller names are hidden wherever they stand', () => {
    const error = new Error('Host: miner.example. is not in the altnames of s3cr3t', {
      cause: new Error('lookup of miner.example'),
    });
    const copy = scrubbedCause(error, ['', 's3cr3t', 'miner.example']);
    expect(copy.message).toBe('Host: [REDACTED]. is not in the altnames of [REDACTED]');
    expect((copy.cause as Error).message).toBe('lookup of [REDACTED]');
  });

  it('a text that could not be parsed is not quoted, since it may hold a token', () => {
    const messageFor = (text: string): string => {
      try {
        return String(JSON.parse(text));
      } catch (error) {
        return scrubbedCause(error).message;
      }
    };
    expect(messageFor('my-secret')).toBe("Unexpected token 'm' is not valid JSON");
    expect(messageFor(`{"a": ${'x"\n'.repeat(30)}`)).toBe("Unexpected token 'x' is not valid JSON");
    expect(messageFor('{"a":1')).toContain('in JSON at position 6');
  });

  it('a cycle ends, and a value that is no error becomes one without its content', () => {
    const error = new Error('again');
    error.cause = error;
    let depth = 0;
    for (let link: unknown = scrubbedCause(error); link instanceof Error; link = link.cause) depth += 1;
    expect(depth).toBe(9);
    expect(scrubbedCause('Bearer abc').message).toBe('a thrown string');
  });
});
