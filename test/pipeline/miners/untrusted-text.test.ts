import { describe, expect, it } from 'vitest';
import { sanitizeUntrusted, quoteUntrusted, secretsOf } from '#pipeline/miners/untrusted-text';

const miner = { uid: 1, hotkey: 'h', baseUrl: 'https://miner.example:33333/m/1' };

describe('untrusted text', () => {
  it("a miner's text is scrubbed of its address in every form and of its token", () => {
    const secrets = secretsOf(miner, 'the-token');
    const text =
      'GET https://miner.example:33333/m/1/x at miner.example:33333 or miner.example with the-token';
    expect(sanitizeUntrusted(text, secrets)).not.toMatch(/miner\.example|33333|the-token/);
  });

  it('a text without secrets stays readable', () => {
    expect(sanitizeUntrusted('GFS cycle 2026-11-23T00Z is not published yet')).toBe(
      'GFS cycle 2026-11-23T00Z is not published yet',
    );
  });

  it('a text is put on one line, whatever it holds', () => {
    expect(sanitizeUntrusted('a\r\n\tb\u0000c \u2028 d')).toBe('a b c d');
  });

  it('a text is cut between characters, never within one', () => {
    const quote = JSON.parse(quoteUntrusted('\u{1F600}'.repeat(200))) as string;
    expect(Array.from(quote)).toHaveLength(80);
    expect(quote.isWellFormed()).toBe(true);
  });

  it('a base URL that does not parse is redacted as well', () => {
    expect(secretsOf({ ...miner, baseUrl: 'nonsense' })).toEqual(['nonsense']);
  });
});
