import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { ThreadPool } from './thread-pool.ts';
import { UNPACK, type UnpackName } from './unpack.ts';

/** Work that may take long enough to keep health checks, leases and other miners waiting. */
export type HeavyTask =
  | { readonly kind: 'unpack'; readonly name: UnpackName; readonly bytes: Uint8Array; readonly most: number }
  | { readonly kind: 'hash'; readonly path: string; readonly bytes: Uint8Array };

/** Below these, handing the bytes to a thread costs more than the few milliseconds of the work. */
const LEAST_UNPACKED_BYTES = 2 ** 21;
const LEAST_HASHED_BYTES = 2 ** 23;
/** What a thread unpacks beyond this stays in its memory. */
const MOST_KEPT_BYTES = 2 ** 24;
/** Node unpacks these in threads of its own. */
const BY_NODE: readonly UnpackName[] = ['gzip', 'zlib'];

/** The manifest's hash of one file: sha256 of the path's bytes, a NUL and the content, in hex. */
export function hashFile(path: string, content: Uint8Array): string {
  return createHash('sha256').update(path).update('\0').update(content).digest('hex');
}

/** Does a task where it is called. */
export async function doTask(task: HeavyTask): Promise<Uint8Array | string> {
  return task.kind === 'unpack' ? UNPACK[task.name](task.bytes, task.most) : hashFile(task.path, task.bytes);
}

let pool: ThreadPool<HeavyTask, Uint8Array | string> | undefined;

/** The threads are those of the process, as its processors are. None is started before the first large chunk. */
function processPool(): ThreadPool<HeavyTask, Uint8Array | string> {
  pool ??= new ThreadPool({
    entry: entryOfThreads(),
    size: Math.max(1, Math.min(4, availableParallelism() - 1)),
    inline: doTask,
    isLastOfThread: (task) => task.kind === 'unpack' && task.most > MOST_KEPT_BYTES,
  });
  return pool;
}

/** The program of the threads beside this file, as source or compiled; a bundle may have no address of its own. */
function entryOfThreads(): URL | null {
  const here: unknown = import.meta.url;
  if (typeof here !== 'string') return null;
  const name = here.endsWith('.ts') ? './work-thread.ts' : './work-thread.js';
  return new URL(name, here);
}

/** Unpacks a chunk to at most `most` bytes, in a thread beside the event loop where that may take long. */
export async function unpackBeside(name: UnpackName, bytes: Uint8Array, most: number): Promise<Uint8Array> {
  const isSmall = most < LEAST_UNPACKED_BYTES || BY_NODE.includes(name);
  return isSmall
    ? UNPACK[name](bytes, most)
    : ((await processPool().run({ kind: 'unpack', name, bytes, most })) as Uint8Array);
}

/** The hash of one file, made in a thread beside the event loop where that may take long. */
export async function hashBeside(path: string, bytes: Uint8Array): Promise<string> {
  const task = { kind: 'hash', path, bytes } as const;
  return String(await (bytes.byteLength < LEAST_HASHED_BYTES ? doTask(task) : processPool().run(task)));
}
