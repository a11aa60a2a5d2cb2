import { getPublicKey, secretFromSeed } from '@scure/sr25519';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSignedBy, SIGNATURE_BYTES, signBytes } from '#pipeline/miners/hotkey-signature';
import { encodeHotkey } from '#pipeline/miners/hotkey';

const secretKey = secretFromSeed(new Uint8Array(32).fill(7));
const hotkey = encodeHotkey(getPublicKey(secretKey));
const stranger = encodeHotkey(getPublicKey(secretFromSeed(new Uint8Array(32).fill(8))));
const text = new TextEncoder().encode('the manifest');

describe('hotkey signatures', () => {
  it('a signature is accepted from the key that made it and from no other', () => {
    const signature = signBytes(secretKey, text);
    expect(signature).toHaveLength(SIGNATURE_BYTES);
    expect(isSignedBy(hotkey, text, signature)).toBe(true);
    expect(isSignedBy(stranger, text, signature)).toBe(false);
  });

  it('signatures are reproducible with a nonce seed and differ without one', () => {
    const nonceSeed = new Uint8Array(32).fill(1);
    expect(signBytes(secretKey, text, nonceSeed)).toEqual(signBytes(secretKey, text, nonceSeed));
    expect(signBytes(secretKey, text)).not.toEqual(signBytes(secretKey, text));
  });

  it('a signature made by a Substrate key pair is accepted', () => {
    // A published vector: the message is signed raw, in the context "substrate".
    const signature = Buffer.from(
      '4e172314444b8f820bb54c22e95076f220ed25373e5c178234aa6c211d29271244b947e3ff3418ff6b45fd1df1140c8cbff69fc58ee6dc96df70936a2bb74b82',
      'hex',
    );
    const publicKey = Buffer.from('46ebddef8cd9bb167dc30878d7113b7e168e6f0646beffd77d69d39bad76b47a', 'hex');
    const message = new TextEncoder().encode('this is a message');
    expect(isSignedBy(encodeHotkey(publicKey), message, signature)).toBe(true);
  });

  it('every malformed signature is invalid', () => {
    for (const signature of [
      new Uint8Array(),
      new Uint8Array(63),
      new Uint8Array(64),
      new Uint8Array(64).fill(255),
    ]) {
      expect(isSignedBy(hotkey, text, signature)).toBe(false);
    }
  });

  it('a change of any byte of a signature is detected', () => {
    const signature = signBytes(secretKey, text, new Uint8Array(32));
    fc.assert(
      fc.property(fc.nat(63), fc.integer({ min: 1, max: 255 }), (place, change) => {
        const changed = signature.map((byte, index) => (index === place ? byte ^ change : byte));
        expect(isSignedBy(hotkey, text, changed)).toBe(false);
      }),
      { numRuns: 25 },
    );
  });
});
