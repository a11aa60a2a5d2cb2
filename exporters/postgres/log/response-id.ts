import { createHash } from 'node:crypto';

/**
 * Deterministic surrogate id of a miner's forecast and response in a run: the first 53 bits of a SHA-256, which a
 * double holds exactly, so that every writer derives the same id without a sequence. It serves joins only; the key of
 * the rows is (validator, run, hotkey), so a collision corrupts nothing.
 */
export function responseId(runId: number, minerHotkey: string): number {
  const digest = createHash('sha256').update(`${runId}/${minerHotkey}`).digest();
  return Number(digest.readBigUInt64BE() >> 11n);
}
