import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeHotkey, encodeHotkey, isHotkey } from '#pipeline/miners/hotkey';

/** The well-known development account of Substrate, `//Alice`. */
const ALICE = '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY';
const ALICE_KEY = 'd43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d';

const messageOf = (hotkey: string): string => {
  try {
    decodeHotkey(hotkey);
    return 'nothing was thrown';
  } catch (error) {
    return String(error);
  }
};

describe('hotkeys', () => {
  it('a known key encodes to its known address and back', () => {
    expect(encodeHotkey(Buffer.from(ALICE_KEY, 'hex'))).toBe(ALICE);
    expect(Buffer.from(decodeHotkey(ALICE)).toString('hex')).toBe(ALICE_KEY);
  });

  it('every key is decoded unchanged from its address', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => {
        const hotkey = encodeHotkey(key);
        expect(hotkey.startsWith('5')).toBe(true);
        expect(decodeHotkey(hotkey)).toEqual(key);
      }),
    );
  });

  it('a change of any character of an address is detected', () => {
    fc.assert(
      fc.property(
        fc.nat(ALICE.length - 1),
        fc.constantFrom('2', '7', 'A', 'F', 'a', 'f'),
        (place, character) => {
          fc.pre(ALICE[place] !== character);
          expect(isHotkey(ALICE.slice(0, place) + character + ALICE.slice(place + 1))).toBe(false);
        },
      ),
    );
  });

  it('an error names what is wrong with an address and what is allowed', () => {
    expect(messageOf('0OIl')).toMatch(
      /characters outside of base58; allowed is an ss58 address with prefix 42/,
    );
    expect(messageOf('5Grwva')).toMatch(/holds \d+ bytes instead of 35/);
    expect(messageOf('')).toContain('holds 0 bytes');
    expect(messageOf('1'.repeat(51))).toContain('has 51 characters');
    expect(messageOf('15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5')).toContain('has prefix 0');
    expect(messageOf(`${ALICE.slice(0, -1)}Z`)).toContain('checksum');
  });

  it('a key of another length is rejected', () => {
    expect(() => encodeHotkey(new Uint8Array(31))).toThrow('31 bytes; allowed: 32');
  });
});
