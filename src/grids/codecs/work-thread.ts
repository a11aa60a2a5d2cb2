import { parentPort } from 'node:worker_threads';
import { doTask, type HeavyTask } from './heavy-work.ts';
import type { ThreadReply } from './thread-pool.ts';

const reply = (message: ThreadReply<Uint8Array | string>): void => {
  const buffer = message.kind === 'done' && typeof message.result !== 'string' ? message.result.buffer : null;
  const isWhole = buffer instanceof ArrayBuffer && buffer.byteLength === lengthOf(message);
  // Only memory that holds nothing else is handed over; the rest is copied.
  parentPort?.postMessage(message, isWhole ? [buffer] : []);
};

const lengthOf = (message: ThreadReply<Uint8Array | string>): number =>
  message.kind === 'done' ? message.result.length : 0;

/** The program of a thread of the pool: one task at a time. */
parentPort?.on('message', (task: HeavyTask) => {
  doTask(task).then(
    (result) => reply({ kind: 'done', result }),
    (error: unknown) => reply({ kind: 'failed', error }),
  );
});
reply({ kind: 'ready' });
