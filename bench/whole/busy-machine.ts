import { pbkdf2 } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

/** Tasks that wait in the thread pool: about as many as the verification of a few forecasts puts there. */
const QUEUED_TASKS = 100;
/** A few milliseconds of hashing. */
const HASH_ROUNDS = 10_000;

/**
 * Keeps every core busy, as neighbours on the same machine do, and the thread pool of this process, as a validator does
 * that hashes and decompresses what many miners host.
 *
 * @returns ends it
 */
export function keepMachineBusy(): () => Promise<void> {
  const threads = Array.from(
    { length: availableParallelism() },
    () => new Worker('for (;;) Math.sqrt(Math.random());', { eval: true }),
  );
  let isEnded = false;
  const hashOn = (): void => {
    if (!isEnded) pbkdf2('password', 'salt', HASH_ROUNDS, 64, 'sha512', hashOn);
  };
  for (let task = 0; task < QUEUED_TASKS; task += 1) hashOn();
  return async () => {
    isEnded = true;
    await Promise.all(threads.map((thread) => thread.terminate()));
  };
}
