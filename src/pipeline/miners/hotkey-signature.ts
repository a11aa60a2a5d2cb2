import { sign, verify } from '@scure/sr25519';
import { decodeHotkey } from './hotkey.ts';

/** Bytes of an sr25519 signature. */
export const SIGNATURE_BYTES = 64;

/**
 * Signs raw bytes as a Substrate key pair does: sr25519 in the signing context `substrate`, without `<Bytes>` wrapping.
 *
 * @param nonceSeed 32 bytes mixed into the nonce, for reproducible signatures; random unless given
 */
export function signBytes(secretKey: Uint8Array, bytes: Uint8Array, nonceSeed?: Uint8Array): Uint8Array {
  return nonceSeed === undefined ? sign(secretKey, bytes) : sign(secretKey, bytes, nonceSeed);
}

/**
 * Whether `signature` is a valid signature of the hotkey over exactly these bytes. A malformed one is invalid.
 *
 * @throws CategorizedError `validator_internal` when the hotkey is not an ss58 address
 */
export function isSignedBy(hotkey: string, bytes: Uint8Array, signature: Uint8Array): boolean {
  const publicKey = decodeHotkey(hotkey);
  if (signature.length !== SIGNATURE_BYTES) return false;
  try {
    return verify(bytes, signature, publicKey);
  } catch {
    return false;
  }
}
