import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import type { AsyncReadable } from 'zarrita';
import { hashFile } from './codecs/heavy-work.ts';

/** A store of bytes that knows the hash of a file without hashing it again, because it has just verified it. */
export interface HashedFiles {
  /** As `hashFile`; undefined for a file that it does not know. */
  readonly hashOf?: (key: string) => string | undefined;
}

/** What a read gave, and the digest of the bytes that it took from the store. */
export interface Digested<Value> {
  readonly value: Value;
  /** SHA-256, hex. */
  readonly digest: string;
}

/** A store of bytes whose reads can be digested. */
export interface DigestingStore {
  readonly store: AsyncReadable;
  /**
   * Runs one read, and digests the files and ranges that it takes, in the order of their keys: neither timing nor concurrent
   * reads change the digest.
   *
   * @param meaning a hash of what the bytes are read as, which is digested before them
   */
  digest<Value>(meaning: string, read: () => Promise<Value>): Promise<Digested<Value>>;
}

/** The pieces of one read: key, and hash of the content. */
type Pieces = Map<string, string>;

const ABSENT = 'absent';
const OFFSET_DIGITS = 16;

/**
 * Decorator that digests what is read, for any store of bytes. Pieces are attributed to the read that asked for them by its
 * asynchronous context.
 *
 * The index of a shard, which is read once for all chunks, is left out: the ranges that it gives are digested. A chunk that is absent
 * counts as such.
 */
export function withReadDigests(source: AsyncReadable & HashedFiles): DigestingStore {
  const current = new AsyncLocalStorage<Pieces>();
  const getRange = source.getRange?.bind(source);
  const store: AsyncReadable = {
    ...(getRange && {
      async getRange(key, range, options) {
        const pieces = current.getStore();
        const bytes = await getRange(key, range, options);
        if (pieces === undefined || 'suffixLength' in range) return bytes;
        // Padded, so that the order of the names is that of the offsets.
        const piece = `${key}@${String(range.offset).padStart(OFFSET_DIGITS, '0')}`;
        pieces.set(piece, bytes === undefined ? ABSENT : hashFile(piece.slice(1), bytes));
        return bytes;
      },
    }),
    async get(key, options) {
      const pieces = current.getStore();
      const bytes = await source.get(key, options);
      if (pieces === undefined) return bytes;
      const hash = (): string => (bytes && (source.hashOf?.(key) ?? hashFile(key.slice(1), bytes))) ?? ABSENT;
      pieces.set(key, hash());
      return bytes;
    },
  };
  return {
    store,
    async digest(meaning, read) {
      const pieces: Pieces = new Map();
      const value = await current.run(pieces, read);
      return { value, digest: digestOf(meaning, pieces) };
    },
  };
}

function digestOf(meaning: string, pieces: Pieces): string {
  const hash = createHash('sha256').update(meaning);
  for (const key of [...pieces.keys()].sort()) hash.update(`\n${pieces.get(key) ?? ABSENT}`);
  return hash.digest('hex');
}
