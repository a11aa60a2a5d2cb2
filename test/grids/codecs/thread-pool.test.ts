import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import Lz4 from 'numcodecs/lz4';
import { describe, expect, it } from 'vitest';
import { doTask, hashBeside, hashFile, unpackBeside } from '#grids/codecs/heavy-work';
import { ThreadPool } from '#grids/codecs/thread-pool';
import { temporaryFolder } from '#test/support/temporary-folder';

/** A program of a thread. It fails at `fail`, dies at `end`, tells its number at `id`, and does all else. */
const PROGRAM = `
import { parentPort, threadId } from 'node:worker_threads';
parentPort.on('message', (task) => {
  if (task === 'end') process.exit(1);
  if (task === 'fail') parentPort.postMessage({ kind: 'failed', error: new Error('it is truncated') });
  else if (task.startsWith('id')) parentPort.postMessage({ kind: 'done', result: String(threadId) });
  else parentPort.postMessage({ kind: 'done', result: task + ' by a thread' });
});
parentPort.postMessage({ kind: 'ready' });
`;

async function poolOf(program: string | null, size = 1) {
  const path = join(await temporaryFolder(), 'thread.mjs');
  if (program !== null) writeFileSync(path, program);
  return new ThreadPool<string, string>({
    entry: pathToFileURL(path),
    size,
    inline: (task) => Promise.resolve(`${task} inline`),
    isLastOfThread: (task) => task === 'id, the last',
  });
}

describe('ThreadPool', () => {
  it('tasks are done by threads, each with its own result, however many wait', async () => {
    const pool = await poolOf(PROGRAM, 2);
    const tasks = Array.from({ length: 20 }, (_, at) => String(at));
    expect(await Promise.all(tasks.map((task) => pool.run(task)))).toEqual(
      tasks.map((task) => `${task} by a thread`),
    );
  });

  it('a task that fails has the message of its thread, and the thread goes on', async () => {
    const pool = await poolOf(PROGRAM);
    await expect(pool.run('fail')).rejects.toThrow('it is truncated');
    expect(await pool.run('next')).toBe('next by a thread');
  });

  it('a task whose thread dies fails, and the next one gets a new thread', async () => {
    const pool = await poolOf(PROGRAM);
    const next = [pool.run('before'), pool.run('end'), pool.run('after')];
    const [before, end, after] = await Promise.allSettled(next);
    expect(before).toMatchObject({ value: 'before by a thread' });
    expect(end).toMatchObject({ status: 'rejected' });
    expect(after).toMatchObject({ value: 'after by a thread' });
  });

  it('a thread whose memory a task has grown ends with it, and the tasks after it get another', async () => {
    const pool = await poolOf(PROGRAM);
    const ids = await Promise.all(['id', 'id', 'id, the last', 'id'].map((task) => pool.run(task)));
    expect([ids[1], ids[2]]).toEqual([ids[0], ids[0]]);
    expect(ids[3]).not.toBe(ids[0]);
  });

  it('without the file of the thread, as in a bundle, tasks are done where they are called', async () => {
    const pool = await poolOf(null);
    expect(await pool.run('task')).toBe('task inline');
  });

  it('a thread that cannot start leaves its tasks, and all after them, to the caller', async () => {
    const pool = await poolOf('throw new Error("no such module");');
    expect(await Promise.all([pool.run('one'), pool.run('other')])).toEqual(['one inline', 'other inline']);
    expect(await pool.run('later')).toBe('later inline');
  });
});

describe('heavy work', () => {
  it('the program of the threads gives what the same work gives without them', async () => {
    const bytes = new Uint8Array(2 ** 21).map((_, at) => at % 251);
    const pool = new ThreadPool({
      entry: new URL('../../../src/grids/codecs/work-thread.ts', import.meta.url),
      size: 1,
      inline: () => Promise.reject(new Error('no thread was started')),
      isLastOfThread: () => false,
    });
    const packed = await packLz4(bytes);
    const task = { kind: 'unpack', name: 'lz4', bytes: packed, most: bytes.length } as const;
    // Compared as bytes: an equality of millions of elements takes a minute.
    const unpacked = (await pool.run(task)) as Uint8Array;
    expect(Buffer.compare(unpacked, bytes)).toBe(0);
    expect(await pool.run({ kind: 'hash', path: 't/0', bytes })).toBe(hashFile('t/0', bytes));
    await expect(pool.run({ ...task, most: 100 })).rejects.toThrow('unpacks to 2097152 bytes');
    // What was handed to the thread is still there.
    expect(packed.length).toBeGreaterThan(0);
  });

  it('the event loop turns while a large chunk is unpacked, and while a large file is hashed', async () => {
    const bytes = new Uint8Array(2 ** 23);
    const packed = await packLz4(bytes);
    // Without the thread the decoder, once it is loaded, ends before anything else comes to its turn.
    await doTask({ kind: 'unpack', name: 'lz4', bytes: packed, most: bytes.length });
    const turnsDuring = async (work: Promise<unknown>): Promise<boolean> => {
      let turned = false;
      setImmediate(() => (turned = true));
      await work;
      return turned;
    };
    expect(await turnsDuring(doTask({ kind: 'hash', path: 't/0', bytes }))).toBe(false);
    expect(await turnsDuring(unpackBeside('lz4', packed, bytes.length))).toBe(true);
    expect(await turnsDuring(hashBeside('t/0', bytes))).toBe(true);
  });
});

/** The used part of the codec library, whose own types do not resolve under this module system. */
interface EncoderFactory {
  fromConfig(settings: object): { encode(bytes: Uint8Array): Promise<Uint8Array> };
}
const packLz4 = (bytes: Uint8Array): Promise<Uint8Array> =>
  (Lz4 as unknown as EncoderFactory).fromConfig({}).encode(bytes);
