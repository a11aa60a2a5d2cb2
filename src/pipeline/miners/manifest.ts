import { createHash } from 'node:crypto';
import { z } from 'zod';
import { CategorizedError } from '#semconv';
import { scrubbedCause } from '#semconv/scrubbed-cause';
import { isSignedBy } from './hotkey-signature.ts';

/** Names of the two files at the root of every store. They are not listed in the manifest. */
export const MANIFEST_FILE = 'manifest.json';
export const SIGNATURE_FILE = 'manifest.sig';

const SCHEMA_VERSION = '1.0';
/** The only accepted hash of files; `xxh64`, which old miners use, can be forged. */
const REQUIRED_ALGORITHM = 'sha256';

/** A path below the root of the store: no leading slash, no empty, `.` or `..` segment. */
const relativePath = z
  .string()
  .regex(/^(?!.*(?:^|\/)\.{0,2}(?:\/|$))[^\\\0]+$/, 'is not a path below the store');

const manifestSchema = z.object({
  manifest_schema_version: z.literal(SCHEMA_VERSION),
  profile_structure_version: z.string().max(100),
  chunk_hash_algorithm: z.enum(['sha256', 'xxh64']),
  signer_hotkey_ss58: z.string().max(100),
  files: z.record(relativePath, z.string().regex(/^[0-9a-f]{16,64}$/, 'is not a lower-case hex hash')),
});

/** A forecast of the network has 2,765 files; its manifest is 0.3 MB. */
const MOST_FILES = 65_536;
/** The bound of a manifest, of `MOST_FILES` with long names. */
export const MOST_MANIFEST_BYTES = 8 * 2 ** 20;
/** A string of JSON, with the colon that makes it a key. Without alternatives in a loop, which would need memory per character. */
const STRING_OR_KEY = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?/gs;

/** The manifest without its list of files. */
export type ManifestHeader = Omit<z.output<typeof manifestSchema>, 'files'>;

/** A manifest that the miner signed and that has the claimed hash. */
export interface VerifiedManifest {
  /** SHA-256 of the manifest's bytes, lower-case hex. */
  readonly hash: string;
  readonly header: ManifestHeader;
  /** Hash of each file by its path below the store, as `fileHash` makes it. */
  readonly files: Readonly<Record<string, string>>;
}

/** The contents of a manifest. */
export interface ManifestContents {
  readonly signerHotkey: string;
  /** Content of each file, by its path below the store. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly profileStructureVersion?: string;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** SHA-256 over the path, a NUL and the content, lower-case hex. The path is hashed so that files cannot be swapped. */
export function fileHash(path: string, content: Uint8Array): string {
  return createHash('sha256').update(path).update('\0').update(content).digest('hex');
}

/** A JSON string in ASCII only, as the miners' writers of manifests produce it. */
const asciiJson = (text: string): string =>
  JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** Compares by code point, which differs from UTF-16 order beyond the basic plane. */
const byCodePoint = (one: string, other: string): number =>
  Buffer.compare(Buffer.from(one), Buffer.from(other));

/** One object of canonical JSON; values are already JSON. Built as text, because an object would reorder keys like "7". */
function canonicalObject(entries: readonly (readonly [string, string])[], depth: number): string {
  if (entries.length === 0) return '{}';
  const indent = ' '.repeat(4 * depth);
  const lines = entries
    .toSorted(([one], [other]) => byCodePoint(one, other))
    .map(([key, value]) => `${indent}    ${asciiJson(key)}: ${value}`);
  return `{\n${lines.join(',\n')}\n${indent}}`;
}

/** The bytes of a manifest: JSON with sorted keys, indented by 4. These bytes are what is hashed and signed. */
export function buildManifest(contents: ManifestContents): Uint8Array {
  const hashes = [...contents.files].map(
    ([path, bytes]) => [path, asciiJson(fileHash(path, bytes))] as const,
  );
  const fields: readonly (readonly [string, string])[] = [
    ['manifest_schema_version', asciiJson(SCHEMA_VERSION)],
    ['profile_structure_version', asciiJson(contents.profileStructureVersion ?? '1.0')],
    ['chunk_hash_algorithm', asciiJson(REQUIRED_ALGORITHM)],
    ['signer_hotkey_ss58', asciiJson(contents.signerHotkey)],
    ['files', canonicalObject(hashes, 1)],
  ];
  return new TextEncoder().encode(canonicalObject(fields, 0));
}

/** The hash by which a miner claims a manifest: SHA-256 of its bytes, lower-case hex. */
export const manifestHash = (bytes: Uint8Array): string => sha256(bytes);

const rejected = (what: string, cause?: Error): CategorizedError =>
  new CategorizedError('verification_manifest', what, { cause });

/** Keys as they were written: of two that are equal a parsed object keeps the last, and other readers another. */
function countKeysOfText(text: string): number {
  let keys = 0;
  for (const [, colon] of text.matchAll(STRING_OR_KEY)) if (colon !== undefined) keys += 1;
  return keys;
}

function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const members = Object.values(value);
  const own = Array.isArray(value) ? 0 : members.length;
  return members.reduce((sum: number, member) => sum + countKeys(member), own);
}

function parseManifest(bytes: Uint8Array): z.output<typeof manifestSchema> {
  let content: unknown;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const keys = countKeysOfText(text);
    if (keys > MOST_FILES)
      throw rejected(`the manifest has ${keys} keys; at most ${MOST_FILES} files are allowed`);
    content = JSON.parse(text);
    if (countKeys(content) !== keys)
      throw rejected('the manifest has a key twice; each file is listed once, with one hash');
  } catch (error) {
    if (error instanceof CategorizedError) throw error;
    throw rejected(`the manifest (${bytes.length} bytes) is not JSON in UTF-8`, scrubbedCause(error));
  }
  const parsed = manifestSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.slice(0, 1).join('.')}: ${issue.message}`);
  throw rejected(`the manifest does not have the agreed shape (${faults.slice(0, 3).join('; ')})`);
}

/** An untrusted manifest, with its signature and the hash that the miner claimed. */
export interface ManifestClaim {
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
  /** The `verification_hash` of the miner's reply. */
  readonly claimedHash: string;
  readonly minerHotkey: string;
}

/**
 * Verifies that the manifest has the claimed hash, names this miner as its signer, and is signed by it.
 *
 * @throws CategorizedError `verification_manifest` when hash, shape, signer or hash algorithm are wrong;
 * `verification_signature` when the signature is not that of the hotkey
 */
export function verifyManifest(claim: ManifestClaim): VerifiedManifest {
  if (claim.bytes.length > MOST_MANIFEST_BYTES)
    throw rejected(
      `the manifest has ${claim.bytes.length} bytes; at most ${MOST_MANIFEST_BYTES} are allowed`,
    );
  const hash = sha256(claim.bytes);
  if (hash !== claim.claimedHash.toLowerCase()) {
    throw rejected(`the manifest has hash ${hash}, but the miner claimed ${claim.claimedHash.slice(0, 64)}`);
  }
  const { files, ...header } = parseManifest(claim.bytes);
  if (header.signer_hotkey_ss58 !== claim.minerHotkey) {
    throw rejected(`the manifest names another signer than the miner's hotkey ${claim.minerHotkey}`);
  }
  if (!isSignedBy(claim.minerHotkey, claim.bytes, claim.signature)) {
    throw new CategorizedError(
      'verification_signature',
      `the signature (${claim.signature.length} bytes) over the manifest is not that of hotkey ${claim.minerHotkey}`,
    );
  }
  if (header.chunk_hash_algorithm !== REQUIRED_ALGORITHM) {
    throw rejected(
      `the files are hashed with ${header.chunk_hash_algorithm}; allowed: ${REQUIRED_ALGORITHM}`,
    );
  }
  return { hash, header, files };
}
