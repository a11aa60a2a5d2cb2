import type { AsyncReadable } from 'zarrita';
import { CategorizedError } from '#semconv';
import { hashBeside } from './codecs/heavy-work.ts';
import { boundsOf } from './directory-store.ts';

/** The part of a miner's manifest that verifies its files. */
export interface FileManifest {
  /** Relative path without a leading slash, to the lower-case hex hash of that file. */
  readonly files: Readonly<Record<string, string>>;
}

/** Read statistics of a verified store. */
export interface VerificationStats {
  readonly reads: number;
  readonly bytes: number;
  /** Distinct files whose hash matched. */
  readonly verifiedFiles: number;
}

export interface VerifiedStore extends AsyncReadable {
  readonly stats: VerificationStats;
  /** The hash of a file that was read, which has been verified. */
  readonly hashOf: (key: string) => string | undefined;
}

/** A larger shard is read again for each range: each store that is open keeps one. */
const MOST_KEPT_BYTES = 2 ** 25;

/**
 * Decorator that verifies every file, metadata included, against a frozen manifest on read, so that a forecast cannot
 * be replaced once the outcome is known.
 *
 * A file that is neither listed nor stored is absent without an error, because readers probe for optional metadata.
 *
 * @throws CategorizedError `verification_chunk`, not retryable, for a file that is unlisted, altered, or listed and
 * gone.
 */
export function withManifestVerification(store: AsyncReadable, manifest: FileManifest): VerifiedStore {
  const verified = new Set<string>();
  const counts = { reads: 0, bytes: 0 };
  /** The last shard that was read by ranges: its hash is that of the whole file. */
  let shard: { readonly key: string; readonly content: Promise<Uint8Array | undefined> } | null = null;
  const verifiedStore: VerifiedStore = {
    get stats() {
      return { ...counts, verifiedFiles: verified.size };
    },
    hashOf: (key) => (verified.has(key.slice(1)) ? manifest.files[key.slice(1)]?.toLowerCase() : undefined),
    async getRange(key, range, options) {
      if (shard?.key !== key) shard = { key, content: verifiedStore.get(key, options) };
      const content = await shard.content;
      if ((content?.byteLength ?? 0) > MOST_KEPT_BYTES) shard = null;
      return content?.subarray(...boundsOf(range, content.byteLength));
    },
    async get(key, options) {
      const path = key.slice(1);
      const expected = Object.hasOwn(manifest.files, path) ? manifest.files[path] : undefined;
      const content = await store.get(key, options);
      counts.reads += 1;
      if (content === undefined) {
        if (expected === undefined) return undefined;
        throw verificationError(path, 'is listed in the manifest but absent from the store');
      }
      counts.bytes += content.byteLength;
      if (expected === undefined) throw verificationError(path, 'is not listed in the manifest');
      if ((await hashBeside(path, content)) !== expected.toLowerCase()) {
        throw verificationError(path, 'does not have the hash that the manifest froze');
      }
      verified.add(path);
      return content;
    },
  };
  return verifiedStore;
}

function verificationError(path: string, fault: string): CategorizedError {
  return new CategorizedError(
    'verification_chunk',
    `File ${path} ${fault}; only the files of the frozen manifest are accepted, unchanged.`,
  );
}
