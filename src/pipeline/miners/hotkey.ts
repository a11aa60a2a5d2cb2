import { createHash } from 'node:crypto';
import { base58 } from '@scure/base';
import { CategorizedError } from '#semconv';

/** The ss58 prefix of the generic Substrate network, which hotkeys use. */
const SS58_PREFIX = 42;
const PUBLIC_KEY_BYTES = 32;
const CHECKSUM_BYTES = 2;
const ADDRESS_BYTES = 1 + PUBLIC_KEY_BYTES + CHECKSUM_BYTES;
/** Base58 decoding takes quadratic time, so longer text is rejected before it. */
const LONGEST_ADDRESS = 50;

/** First two bytes of BLAKE2b-512 over `SS58PRE`, the prefix and the key (the ss58 address format). */
function checksumOf(prefixedKey: Uint8Array): Uint8Array {
  return createHash('blake2b512').update('SS58PRE').update(prefixedKey).digest().subarray(0, CHECKSUM_BYTES);
}

function fault(what: string): CategorizedError {
  return new CategorizedError(
    'validator_internal',
    `a hotkey ${what}; allowed is an ss58 address with prefix ${SS58_PREFIX} (48 characters, starting with 5). ` +
      'Check where the hotkey was copied from.',
  );
}

/** The ss58 address of a 32-byte sr25519 public key. */
export function encodeHotkey(publicKey: Uint8Array): string {
  if (publicKey.length !== PUBLIC_KEY_BYTES) {
    throw new RangeError(`a public key has ${publicKey.length} bytes; allowed: ${PUBLIC_KEY_BYTES}`);
  }
  const prefixedKey = Uint8Array.of(SS58_PREFIX, ...publicKey);
  return base58.encode(Uint8Array.of(...prefixedKey, ...checksumOf(prefixedKey)));
}

function decodeBase58(hotkey: string): Uint8Array {
  if (hotkey.length > LONGEST_ADDRESS) throw fault(`has ${hotkey.length} characters`);
  try {
    return base58.decode(hotkey);
  } catch {
    throw fault('holds characters outside of base58');
  }
}

/**
 * The 32-byte public key of an ss58 address.
 *
 * @throws CategorizedError `validator_internal` when the text is not an address: hotkeys come from the validator's own list.
 */
export function decodeHotkey(hotkey: string): Uint8Array {
  const bytes = decodeBase58(hotkey);
  if (bytes.length !== ADDRESS_BYTES) throw fault(`holds ${bytes.length} bytes instead of ${ADDRESS_BYTES}`);
  if (bytes[0] !== SS58_PREFIX) throw fault(`has prefix ${String(bytes[0])}`);
  const prefixedKey = bytes.subarray(0, 1 + PUBLIC_KEY_BYTES);
  const checksum = bytes.subarray(1 + PUBLIC_KEY_BYTES);
  if (!checksumOf(prefixedKey).every((byte, index) => byte === checksum[index])) {
    throw fault('has a checksum that does not fit its key');
  }
  return bytes.slice(1, 1 + PUBLIC_KEY_BYTES);
}

/** Whether the text is an ss58 address with prefix 42 and a correct checksum. */
export function isHotkey(text: string): boolean {
  try {
    decodeHotkey(text);
    return true;
  } catch {
    return false;
  }
}
