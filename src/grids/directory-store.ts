import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AsyncReadable } from 'zarrita';
import { CategorizedError } from '#semconv';
import { scrubbedCause } from '#semconv/scrubbed-cause';
import { isError } from '#semconv/message-of';

/** Error codes of an absent file. */
const ABSENT = ['ENOENT', 'ENOTDIR', 'EISDIR'];

/** Reads the files of a local directory. Errors name the key and the code, never the directory. */
export function createDirectoryStore(directory: string): AsyncReadable {
  return {
    async get(key, options = {}) {
      try {
        return await readFile(join(directory, key), options);
      } catch (error) {
        const code = codeOf(error);
        if (ABSENT.includes(code)) return undefined;
        throw new CategorizedError('validator_internal', `Reading file ${key} of a store failed (${code}).`, {
          retryable: true,
          cause: scrubbedCause(error, [join(directory, key)]),
        });
      }
    },
  };
}

function codeOf(error: unknown): string {
  return isError(error) && 'code' in error ? String(error.code) : 'unknown code';
}

/** Reads files held in memory, by their path relative to the store's root without a leading slash. */
export function createMemoryStore(files: ReadonlyMap<string, Uint8Array>): AsyncReadable {
  return { get: (key) => Promise.resolve(files.get(key.slice(1))) };
}
