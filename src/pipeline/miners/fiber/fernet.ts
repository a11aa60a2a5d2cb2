import { createCipheriv, createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto';

/** Bytes of a key: the first half signs, the second encrypts. */
export const FERNET_KEY_BYTES = 32;
const HALF = FERNET_KEY_BYTES / 2;
const VERSION = 0x80;
const IV_BYTES = 16;
const MAC_BYTES = 32;
const HEAD_BYTES = 1 + 8 + IV_BYTES;
const BLOCK_BYTES = 16;

/** What makes a token reproducible. */
export interface FernetOptions {
  /** When it is made, seconds since 1970. */
  readonly seconds: number;
  /** 16 random bytes. */
  readonly iv: Uint8Array;
}

const macOf = (key: Uint8Array, signed: Uint8Array): Buffer =>
  createHmac('sha256', key.subarray(0, HALF)).update(signed).digest();

/** Base64 with `-` and `_`, padded, as the Fernet specification has it. */
const toBase64Url = (bytes: Buffer): string =>
  bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_');

/** Encrypts a text into a Fernet token (version 0x80: AES-128-CBC, then HMAC-SHA-256). */
export function encryptFernet(key: Uint8Array, text: string, { seconds, iv }: FernetOptions): string {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt8(VERSION, 0);
  head.writeBigUInt64BE(BigInt(Math.floor(seconds)), 1);
  head.set(iv, HEAD_BYTES - IV_BYTES);
  const cipher = createCipheriv('aes-128-cbc', key.subarray(HALF), iv);
  const signed = Buffer.concat([head, cipher.update(text, 'utf8'), cipher.final()]);
  return toBase64Url(Buffer.concat([signed, macOf(key, signed)]));
}

/** The text of a token, or null when it was not made with this key. Its age does not count: miners ignore it. */
export function decryptFernet(key: Uint8Array, token: string): string | null {
  const bytes = Buffer.from(token, 'base64url');
  const signed = bytes.subarray(0, -MAC_BYTES);
  if (signed.length < HEAD_BYTES + BLOCK_BYTES || signed[0] !== VERSION) return null;
  if (!timingSafeEqual(macOf(key, signed), bytes.subarray(-MAC_BYTES))) return null;
  const iv = signed.subarray(HEAD_BYTES - IV_BYTES, HEAD_BYTES);
  const decipher = createDecipheriv('aes-128-cbc', key.subarray(HALF), iv);
  try {
    return Buffer.concat([decipher.update(signed.subarray(HEAD_BYTES)), decipher.final()]).toString();
  } catch {
    return null;
  }
}
