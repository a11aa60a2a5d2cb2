import { describe, expect, it } from 'vitest';
import { sanitizeUntrusted, quoteUntrusted, secretsOf } from '#pipeline/miners/untrusted-text';

const miner = { uid: 1, hotkey: 'h', baseUrl: 'https://miner.example:33333/m/1' };

describe("a miner's words", () => {
  it("a miner's words lose every form of its own address and the token that opens its files", () => {
    const secrets = secretsOf(miner, 'the-token');
    const words =
      'GET https://miner.example:33333/m/1/x at miner.example:33333 or miner.example with the-token';
    expect(sanitizeUntrusted(words, secrets)).not.toMatch(/miner\.example|33333|the-token/);
  });

  it('keep their sense when nothing is secret', () => {
    expect(sanitizeUntrusted('GFS cycle 2026-11-23T00Z is not published yet')).toBe(
      'GFS cycle 2026-11-23T00Z is not published yet',
    );
  });

  it('stand on one line, whatever they hold', () => {
    expect(sanitizeUntrusted('a\r\n\tb\u0000c \u2028 d')).toBe('a b c d');
  });

  it("a miner's words are cut between characters, never within one", () => {
    const quote = JSON.parse(quoteUntrusted('\u{1F600}'.repeat(200))) as string;
    expect(Array.from(quote)).toHaveLength(80);
    expect(quote.isWellFormed()).toBe(true);
  });

  it("a miner's words of a miner whose URL is none are still kept free of it", () => {
    expect(secretsOf({ ...miner, baseUrl: 'nonsense' })).toEqual(['nonsense']);
  });
});
