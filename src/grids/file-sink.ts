import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** A directory that is created, or a map that is filled with relative path to bytes. */
export type GridTarget = string | Map<string, Uint8Array>;

/** Takes one file; resolves once the next may come. */
export type WriteFile = (path: string, bytes: Uint8Array) => Promise<void>;

interface FileSink {
  readonly write: WriteFile;
  /** Resolves once all files are written. */
  readonly written: () => Promise<void>;
}

/** Files that are on their way to the disk while further fields are made. */
const MOST_UNDER_WAY = 16;

/** Where the files of a store go. */
export function createFileSink(target: GridTarget): FileSink {
  if (typeof target !== 'string') {
    const write: WriteFile = (path, bytes) => {
      target.set(path, bytes);
      return Promise.resolve();
    };
    return { write, written: () => Promise.resolve() };
  }
  const made = new Map<string, Promise<unknown>>();
  const writeOne: WriteFile = async (path, bytes) => {
    const file = join(target, path);
    const directory = dirname(file);
    const ready = made.get(directory) ?? mkdir(directory, { recursive: true });
    made.set(directory, ready);
    await ready;
    await writeFile(file, bytes);
  };
  return severalAtOnce(writeOne);
}

/** Lets a few files be under way at once. What one of them throws, the next call throws, or the end. */
function severalAtOnce(writeOne: WriteFile): FileSink {
  const underWay: Promise<void>[] = [];
  const write: WriteFile = async (path, bytes) => {
    if (underWay.length >= MOST_UNDER_WAY) await underWay.shift();
    const writing = writeOne(path, bytes);
    // It is heard when its turn comes.
    writing.catch(() => undefined);
    underWay.push(writing);
  };
  const written = async (): Promise<void> => {
    await Promise.all(underWay);
  };
  return { write, written };
}
