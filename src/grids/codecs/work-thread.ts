import { parentPort } from 'node:worker_threads';
import { doTask, type HeavyTask } from './heavy-work.ts';
import type { ThreadReply } from './thread-pool.ts';

const reply = (message: ThreadReply<Uint8Array | string>): void => {
  const bytes = message.kind === 'done' && typeof message.result !== 'string' ? message.result : null;
  // Only memory that holds nothing else is handed over; the rest is copied.
  const isWhole = bytes?.byteLength === bytes?.buffer.byteLength && bytes?.buffer instanceof ArrayBuffer;
  parentPort?.postMessage(message, isWhole && bytes !== null ? [bytes.buffer as ArrayBuffer] : []);
};

/** The program of a thread of the pool: one task at a time. */
parentPort?.on('message', (task: HeavyTask) => {
  doTask(task).then(
    (result) => reply({ kind: 'done', result }),
    (error: unknown) => reply({ kind: 'failed', error }),
  );
});
reply({ kind: 'ready' });
