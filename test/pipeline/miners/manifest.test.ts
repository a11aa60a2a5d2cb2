import { createHash } from 'node:crypto';
import { getPublicKey, secretFromSeed } from '@scure/sr25519';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  buildManifest,
  encodeHotkey,
  fileHash,
  manifestHash,
  signBytes,
  verifyManifest,
  type ManifestClaim,
} from '#pipeline/miners/index';
import { CategorizedError } from '#semconv';

const secretKey = secretFromSeed(new Uint8Array(32).fill(3));
const hotkey = encodeHotkey(getPublicKey(secretKey));
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** A claim that holds, unless something in it is replaced. */
const claimOf = (bytes: Uint8Array, changes: Partial<ManifestClaim> = {}): ManifestClaim => ({
  bytes,
  signature: signBytes(secretKey, bytes, new Uint8Array(32)),
  claimedHash: manifestHash(bytes),
  minerHotkey: hotkey,
  ...changes,
});

const errorOf = (claim: ManifestClaim): CategorizedError => {
  try {
    verifyManifest(claim);
  } catch (error) {
    if (error instanceof CategorizedError) return error;
  }
  throw new Error('the manifest was not rejected');
};

const files = new Map([
  ['t/0.0', bytesOf('chunk')],
  ['.zgroup', bytesOf('{"zarr_format":2}')],
]);
const manifest = buildManifest({ signerHotkey: hotkey, files });

describe('manifest', () => {
  it('a manifest is JSON with sorted keys, indented by 4, byte for byte', () => {
    const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
    expect(textOf(manifest)).toBe(
      `{
    "chunk_hash_algorithm": "sha256",
    "files": {
        ".zgroup": "${sha256('.zgroup\0{"zarr_format":2}')}",
        "t/0.0": "${sha256('t/0.0\0chunk')}"
    },
    "manifest_schema_version": "1.0",
    "profile_structure_version": "1.0",
    "signer_hotkey_ss58": "${hotkey}"
}`,
    );
  });

  it('keys that look like numbers are sorted as text, and only ASCII is written', () => {
    const odd = new Map(['10', '9', 'é', '\u{1F600}', '\uFFFD'].map((path) => [path, bytesOf(path)]));
    const keys = [
      ...textOf(buildManifest({ signerHotkey: hotkey, files: odd })).matchAll(/^ {8}("[^"]*")/gm),
    ];
    expect(keys.map(([, key]) => key)).toEqual(['"10"', '"9"', '"\\u00e9"', '"\\ufffd"', '"\\ud83d\\ude00"']);
  });

  it.each([
    ['a file', '"files": {', '"files": {\n        "t/0.0": "00000000000000000000000000000000",'],
    [
      'a file by another spelling',
      '"files": {',
      '"files": {\n        "\\u0074/0.0": "00000000000000000000000000000000",',
    ],
    ['the list of files', '"files": {', '"files" : {}, "files": {'],
    ['a member that nobody knows', '"files": {', '"x": {"y": 1, "y": 2}, "files": {'],
  ])(
    'a manifest that names %s twice is refused, since readers differ in which of them counts',
    (_, at, twice) => {
      const doubled = bytesOf(textOf(manifest).replace(at, twice));
      const error = errorOf(claimOf(doubled));
      expect(error.category).toBe('verification_manifest');
      expect(error.message).toContain('a key twice');
    },
  );

  it('strings that look like keys are no keys', () => {
    const odd = bytesOf(textOf(manifest).replace('"files": {', '"x": ["a\\": b", "\\\\", "c"], "files": {'));
    expect(Object.keys(verifyManifest(claimOf(odd)).files)).toHaveLength(2);
  });

  it('a manifest of more files than a forecast has, or of too many bytes, is refused before it is parsed', () => {
    const many = bytesOf(`{${'"a":0,'.repeat(70_000)}"b":0}`);
    expect(errorOf(claimOf(many)).message).toContain('70001 keys; at most 65536 files');
    expect(errorOf(claimOf(new Uint8Array(2 ** 23 + 1))).message).toContain('at most 8388608 are allowed');
  });

  it('a store without files has a valid manifest', () => {
    const empty = buildManifest({ signerHotkey: hotkey, files: new Map() });
    expect(textOf(empty)).toContain('"files": {},');
    expect(verifyManifest(claimOf(empty)).files).toEqual({});
  });

  it('a file hash covers path, NUL and content, so that files cannot be swapped', () => {
    expect(fileHash('a', bytesOf('b'))).not.toBe(fileHash('b', bytesOf('a')));
    expect(fileHash('ab', bytesOf(''))).not.toBe(fileHash('a', bytesOf('b')));
  });

  it('a manifest of any files is verified with the hash of each', () => {
    const path = fc
      .stringMatching(/^[a-z0-9_]{1,6}(\/[0-9.]{0,4}[0-9])?$/)
      .filter((name) => name !== '__proto__');
    fc.assert(
      fc.property(fc.dictionary(path, fc.uint8Array({ maxLength: 40 })), (contents) => {
        const given = new Map(Object.entries(contents));
        const verified = verifyManifest(claimOf(buildManifest({ signerHotkey: hotkey, files: given })));
        expect(verified.files).toEqual(
          Object.fromEntries([...given].map(([name, bytes]) => [name, fileHash(name, bytes)])),
        );
      }),
      { numRuns: 30 },
    );
  });

  it('a valid manifest is returned with its hash and header', () => {
    expect(verifyManifest(claimOf(manifest))).toMatchObject({
      hash: manifestHash(manifest),
      header: { chunk_hash_algorithm: 'sha256', signer_hotkey_ss58: hotkey },
    });
    expect(verifyManifest(claimOf(manifest)).header).not.toHaveProperty('files');
  });
});

describe('manifest: forgeries', () => {
  it('a changed byte is detected by the hash, or by the signature if the hash was changed too', () => {
    const { signature, claimedHash } = claimOf(manifest);
    fc.assert(
      fc.property(fc.nat(manifest.length - 1), fc.integer({ min: 1, max: 255 }), (place, change) => {
        const bytes = manifest.map((byte, index) => (index === place ? byte ^ change : byte));
        expect(errorOf(claimOf(bytes, { signature, claimedHash })).category).toBe('verification_manifest');
        expect(errorOf(claimOf(bytes, { signature })).category).toMatch(
          /^verification_(manifest|signature)$/,
        );
      }),
      { numRuns: 40 },
    );
  });

  it('an error names both hashes when they differ', () => {
    const { message } = errorOf(claimOf(manifest, { claimedHash: 'ab'.repeat(32) }));
    expect(message).toBe(
      `the manifest has hash ${manifestHash(manifest)}, but the miner claimed ${'ab'.repeat(32)}`,
    );
  });

  it('a manifest signed by another miner is rejected for its signer or its signature', () => {
    const otherKey = secretFromSeed(new Uint8Array(32).fill(4));
    const other = encodeHotkey(getPublicKey(otherKey));
    expect(errorOf(claimOf(manifest, { minerHotkey: other }))).toMatchObject({
      category: 'verification_manifest',
    });
    expect(errorOf(claimOf(manifest, { signature: signBytes(otherKey, manifest) }))).toMatchObject({
      category: 'verification_signature',
      retryable: false,
    });
    expect(errorOf(claimOf(manifest, { signature: new Uint8Array(3) })).message).toContain('(3 bytes)');
  });

  const forged = (changes: object): Uint8Array =>
    bytesOf(JSON.stringify({ ...(JSON.parse(textOf(manifest)) as object), ...changes }));

  it.each([
    ['another algorithm of hashes', { chunk_hash_algorithm: 'xxh64' }, 'hashed with xxh64; allowed: sha256'],
    ['an unknown algorithm', { chunk_hash_algorithm: 'md5' }, 'chunk_hash_algorithm: '],
    ['another version', { manifest_schema_version: '2.0' }, 'manifest_schema_version: '],
    ['no files', { files: undefined }, 'files: '],
    ['a path that leaves the store', { files: { '../x': 'ab'.repeat(32) } }, 'files: '],
    ['an absolute path', { files: { '/x': 'ab'.repeat(32) } }, 'files: '],
    ['a hash that is none', { files: { x: 'zz' } }, 'is not a lower-case hex hash'],
  ])('a manifest with %s is rejected', (_, changes, message) => {
    const error = errorOf(claimOf(forged(changes)));
    expect(error.category).toBe('verification_manifest');
    expect(error.message).toContain(message);
  });

  it('a manifest that is not JSON is rejected', () => {
    expect(errorOf(claimOf(bytesOf('<html>'))).message).toBe('the manifest (6 bytes) is not JSON in UTF-8');
    expect(errorOf(claimOf(Uint8Array.of(0xff, 0xfe))).message).toBe(
      'the manifest (2 bytes) is not JSON in UTF-8',
    );
  });
});
