import { type FileHandle, open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { AsyncReadable, RangeQuery } from 'zarrita';
import { CategorizedError } from '#semconv';
import { scrubbedCause } from '#semconv/scrubbed-cause';
import { isError } from '#semconv/message-of';
import { type BoundedRead, fileTooLong } from './read-limits.ts';

/** Error codes of an absent file. */
const ABSENT = ['ENOENT', 'ENOTDIR', 'EISDIR'];

/** Reads the files of a local directory. Errors name the key and the code, never the directory. */
export function createDirectoryStore(directory: string): AsyncReadable {
  return {
    async get(key, { signal, maxBytes = Infinity }: BoundedRead = {}) {
      const path = join(directory, key);
      try {
        const { size } = await stat(path);
        if (size > maxBytes) throw fileTooLong(key, maxBytes);
        return await readFile(path, signal && { signal });
      } catch (error) {
        const code = codeOf(error);
        if (ABSENT.includes(code)) return undefined;
        if (error instanceof CategorizedError) throw error;
        throw toReadError(error, { directory, key });
      }
    },
    async getRange(key, range) {
      let file: FileHandle | undefined;
      try {
        file = await open(join(directory, key));
        const { size } = await file.stat();
        const [from, to] = boundsOf(range, size);
        const bytes = new Uint8Array(to - from);
        const { bytesRead } = await file.read(bytes, 0, bytes.byteLength, from);
        return bytes.subarray(0, bytesRead);
      } catch (error) {
        if (ABSENT.includes(codeOf(error))) return undefined;
        throw toReadError(error, { directory, key });
      } finally {
        await file?.close();
      }
    },
  };
}

function toReadError(
  error: unknown,
  { directory, key }: { directory: string; key: string },
): CategorizedError {
  return new CategorizedError(
    'validator_internal',
    `Reading file ${key} of a store failed (${codeOf(error)}).`,
    {
      retryable: true,
      cause: scrubbedCause(error, [join(directory, key)]),
    },
  );
}

/** The bytes that a range means in a file of a size; no more than it has. */
export function boundsOf(range: RangeQuery, size: number): readonly [from: number, to: number] {
  if ('suffixLength' in range) return [Math.max(0, size - range.suffixLength), size];
  const from = Math.min(range.offset, size);
  return [from, Math.min(from + range.length, size)];
}

function codeOf(error: unknown): string {
  return isError(error) && 'code' in error ? String(error.code) : 'unknown code';
}

/** Reads files held in memory, by their path relative to the store's root without a leading slash. */
export function createMemoryStore(files: ReadonlyMap<string, Uint8Array>): AsyncReadable {
  return {
    get: (key) => Promise.resolve(files.get(key.slice(1))),
    getRange: (key, range) => {
      const file = files.get(key.slice(1));
      return Promise.resolve(file?.subarray(...boundsOf(range, file.byteLength)));
    },
  };
}
