import { createHash } from 'node:crypto';

/**
 * Number of a miner's forecast and response in a run: the first 53 bits of a hash, so that every writer gives the same
 * without asking, and a double holds it. It is a handle for joins; the key of the rows is (validator, run, hotkey).
 */
export function responseId(runId: number, minerHotkey: string): number {
  const digest = createHash('sha256').update(`${runId}/${minerHotkey}`).digest();
  return Number(digest.readBigUInt64BE() >> 11n);
}
