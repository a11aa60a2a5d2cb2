import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '#test/support/temporary-folder';
import { spanOf, SpoolBench } from './support/spool-bench.ts';

/** More than the threads of the pool, four unless the environment says otherwise. */
const TASKS = Number(process.env['UV_THREADPOOL_SIZE'] ?? 4) + 4;

/** Occupies every thread of the pool: the opening of a named pipe waits for its other end. */
function occupyThreadPool(pipe: string): () => Promise<void> {
  execFileSync('mkfifo', [pipe]);
  const waiting = Array.from({ length: TASKS }, () => open(pipe, 'r'));
  return async () => {
    const otherEnd = openSync(pipe, constants.O_RDWR);
    for (const file of await Promise.all(waiting)) await file.close();
    closeSync(otherEnd);
  };
}

it('spans leave the spool while the program keeps every thread of the pool occupied', async () => {
  const bench = new SpoolBench(await temporaryFolder());
  const spool = bench.open();
  onTestFinished(occupyThreadPool(join(bench.directory, '..', 'pipe')));
  for (const at of [1, 2, 3]) spool.push(spanOf(at), 0);
  const taken = await spool.take(10);
  expect(taken.spans.map(({ name }) => name)).toEqual([1, 2, 3].map((at) => spanOf(at).name));
});
