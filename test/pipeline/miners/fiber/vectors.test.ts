import { secretFromSeed } from '@scure/sr25519';
import { describe, expect, it } from 'vitest';
import { decryptFernet, encryptFernet } from '#pipeline/miners/fiber/fernet';
import { bodyHash, makeNonce, signedHeaders, signedText } from '#pipeline/miners/fiber/signed-request';
import { signerOfSeed } from '#pipeline/miners/hotkey-file';
import { isSignedBy, signBytes } from '#pipeline/miners/hotkey-signature';

/** Values that other implementations (substrate-interface, cryptography) made or checked; no key of them is in use. */
const VALIDATOR = '5CcyqxXnJucaCnQQvvUg5EPzj1uoNAxACZvzArHw5aVDvgNH';
const MINER = '5CfCr47V5Dte6bwxNBE8K9oNnQd9fiay6aDEEkgYtFv7w4Fq';
const NONCE = '1764115200000000000_AbCdEf0123';
const UUID = 'ab'.repeat(32);
const SIGNATURE =
  '3ca27926b356ee2fe09a28934283f1fe6a029ff459a78cb55a67f14cabeb42659f17d902edf73d42645ab913310f058aa7c2691010c1cf667063801a76ba4c8d';
const KEY = Uint8Array.from({ length: 32 }, (_, index) => index);
const TEXT = '{"data":{"job_id":"x"}}';
const TOKEN =
  'gAAAAABpJkMAAAECAwQFBgcICQoLDA0OD_CUgh3-ZzQIfljeVFwJuFgecP8RqYUPDEbQ2zUa19XZxUhFAtF4Wv4n_n65EfOfMVKHNS4wKnTbyuB3YQK5hSE=';

const seed = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const message = signedText({ nonce: NONCE, minerHotkey: MINER, last: UUID });

describe('signed requests', () => {
  it('the seeds of the vectors make the hotkeys of the vectors', () => {
    expect(signerOfSeed(seed(1)).hotkey).toBe(VALIDATOR);
    expect(signerOfSeed(seed(2)).hotkey).toBe(MINER);
  });

  it('the signed text is nonce, miner and uuid, and its signature is the one of the vectors', () => {
    expect(new TextDecoder().decode(message)).toBe(`${NONCE}:${MINER}:${UUID}`);
    const signature = signBytes(secretFromSeed(seed(1)), message, seed(3));
    expect(Buffer.from(signature).toString('hex')).toBe(SIGNATURE);
    expect(isSignedBy(VALIDATOR, message, signature)).toBe(true);
  });

  it('a signature with another byte, or over another uuid, is invalid', () => {
    const spoiled = Buffer.from(`3d${SIGNATURE.slice(2)}`, 'hex');
    expect(isSignedBy(VALIDATOR, message, spoiled)).toBe(false);
    const other = signedText({ nonce: NONCE, minerHotkey: MINER, last: 'cd'.repeat(32) });
    expect(isSignedBy(VALIDATOR, other, Buffer.from(SIGNATURE, 'hex'))).toBe(false);
  });

  it('the headers name both hotkeys and the nonce, with a signature that begins with 0x', () => {
    const headers = signedHeaders(signerOfSeed(seed(1)), { nonce: NONCE, minerHotkey: MINER, last: UUID });
    expect(headers).toMatchObject({ 'validator-hotkey': VALIDATOR, 'miner-hotkey': MINER, nonce: NONCE });
    expect(headers['signature']).toMatch(/^0x[0-9a-f]{128}$/);
    const signature = Buffer.from(headers['signature']?.slice(2) ?? '', 'hex');
    expect(isSignedBy(VALIDATOR, message, signature)).toBe(true);
  });

  it('a nonce is the time in nanoseconds and ten letters or digits, and each is another', () => {
    const nonces = Array.from({ length: 100 }, () => makeNonce(1_764_115_200_000));
    for (const nonce of nonces) expect(nonce).toMatch(/^1764115200000000000_[A-Za-z0-9]{10}$/);
    expect(new Set(nonces).size).toBe(100);
  });

  it('without encryption the exact bytes of the body are signed, spaces and all', () => {
    expect(bodyHash('{"data": {"job_id": "x"}}')).toBe(
      'add0904a10c5cf153f780ddd0d564d610b804f92d994d812ebf3dfb98938f6d0',
    );
  });
});

describe('Fernet', () => {
  it('key, time, IV and text of the vectors make the token of the vectors', () => {
    const iv = KEY.subarray(0, 16);
    expect(encryptFernet(KEY, TEXT, { seconds: 1_764_115_200, iv })).toBe(TOKEN);
  });

  it('a token is read with its key only, and only when nothing of it was changed', () => {
    expect(decryptFernet(KEY, TOKEN)).toBe(TEXT);
    expect(decryptFernet(seed(1), TOKEN)).toBeNull();
    expect(decryptFernet(KEY, `${TOKEN.slice(0, 40)}A${TOKEN.slice(41)}`)).toBeNull();
    expect(decryptFernet(KEY, TOKEN.slice(0, 60))).toBeNull();
    expect(decryptFernet(KEY, '')).toBeNull();
  });
});
