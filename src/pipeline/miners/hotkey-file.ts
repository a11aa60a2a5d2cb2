import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { getPublicKey, secretFromSeed } from '@scure/sr25519';
import { CategorizedError } from '#semconv';
import { isError } from '#semconv/message-of';
import { signBytes } from './hotkey-signature.ts';
import { encodeHotkey } from './hotkey.ts';

/** A hotkey that signs. Its secret is in the closure alone: no property of it can be logged. */
export interface HotkeySigner {
  /** The ss58 address. */
  readonly hotkey: string;
  readonly sign: (bytes: Uint8Array) => Uint8Array;
}

/** A key file has half a kilobyte. */
const LARGEST_FILE_BYTES = 64 * 1024;
const SEED = /^0x([0-9a-f]{64})$/i;

/** The operator named the file. The message never repeats what it holds. */
const fault = (what: string): CategorizedError => new CategorizedError('validator_internal', what);

/** Makes a signer of a seed of 32 bytes (a mini secret). */
export function signerOfSeed(seed: Uint8Array): HotkeySigner {
  const secretKey = secretFromSeed(seed);
  return {
    hotkey: encodeHotkey(getPublicKey(secretKey)),
    sign: (bytes) => signBytes(secretKey, bytes),
  };
}

/** The fields of a key file, or null when it is no JSON object. The parser's own error would quote the text. */
function parseFields(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? { ...parsed } : null;
  } catch {
    return null;
  }
}

/**
 * Parses the key file of a hotkey, as Bittensor wallets write it.
 *
 * Only `secretSeed` is used. `privateKey` holds the same secret in another encoding, from which a wrong key would follow
 * without an error.
 *
 * @param source name of the file in errors
 * @throws CategorizedError `validator_internal` that says what the file lacks, never what it holds
 */
function parseHotkeyFile(text: string, source: string): HotkeySigner {
  if (text.startsWith('$'))
    throw fault(`${source} is encrypted; a hotkey is read from an unencrypted key file only.`);
  const fields = parseFields(text);
  if (fields === null)
    throw fault(`${source} is no JSON object; name the key file of a hotkey, as a Bittensor wallet has it.`);
  const { secretSeed, ss58Address } = fields;
  const seed = typeof secretSeed === 'string' ? SEED.exec(secretSeed)?.[1] : undefined;
  if (seed === undefined)
    throw fault(
      `${source} has ${secretSeed == null ? 'no secretSeed' : 'a secretSeed of another form'}; allowed: 0x and 64 hex digits. ` +
        'Keys made from a derivation path or a bare seed lack it: make the hotkey anew from its mnemonic. privateKey is not read.',
    );
  const signer = signerOfSeed(Buffer.from(seed, 'hex'));
  if (typeof ss58Address !== 'string')
    throw fault(`${source} has no ss58Address to compare its secretSeed with; take the file of the wallet.`);
  if (ss58Address !== signer.hotkey)
    throw fault(
      `${source} has a secretSeed that makes another hotkey than its ss58Address: it is damaged, or not an sr25519 key. Take the file of the wallet.`,
    );
  return signer;
}

/** Where a secret was given in place of the name of its file, errors must not repeat it: no name is that long. */
const FILE_NAME = /^[\w.-]{1,48}$/;

/** Reads the key file of a hotkey, see `parseHotkeyFile`. Errors name the file, not its folder. */
export async function readHotkeyFile(path: string): Promise<HotkeySigner> {
  const name = basename(path);
  const source = FILE_NAME.test(name) ? `the hotkey file ${name}` : 'the hotkey file';
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const code = isError(error) && 'code' in error ? String(error.code) : 'unknown';
    throw fault(
      `${source} cannot be read (${code}); name a file that this account may read, never the secret itself.`,
    );
  }
  if (bytes.length > LARGEST_FILE_BYTES)
    throw fault(`${source} has ${bytes.length} bytes; allowed: ${LARGEST_FILE_BYTES}. Name a key file.`);
  return parseHotkeyFile(bytes.toString(), source);
}
