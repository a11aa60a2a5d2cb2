import { Adjustments, cleanText } from '#facts/clean-value';
import type { ObservedSpan } from '#facts/observed-span';
import { runIdOf } from '#facts/text-values';
import type { RunIdentity } from './ledger.ts';

/** Longest validator hotkey that is counted, bytes: a B-tree index entry cannot hold a much longer one. */
const MAX_HOTKEY_BYTES = 2000;

/** Memoizes the run of the previous span, so that consecutive spans of one run share one identity object. */
export class RunFinder {
  #validatorHotkey: unknown = null;
  #runId: unknown = null;
  #run: RunIdentity | null = null;

  /**
   * The run of a span's step, sanitized as in its row; null when the span names none. A value that the database rejects must
   * not enter an account: it would fail the batches of other spans.
   */
  runOf({ attributes, resource }: ObservedSpan): RunIdentity | null {
    const validatorHotkey = attributes['weather.validator.hotkey'] ?? resource['weather.validator.hotkey'];
    const runId = attributes['weather.run.id'];
    if (validatorHotkey === this.#validatorHotkey && runId === this.#runId) return this.#run;
    this.#validatorHotkey = validatorHotkey;
    this.#runId = runId;
    this.#run = toRun(validatorHotkey, runId);
    return this.#run;
  }
}

function toRun(validatorHotkey: unknown, runId: unknown): RunIdentity | null {
  if (typeof validatorHotkey !== 'string' || validatorHotkey === '') return null;
  const id = runIdOf(runId);
  if (Buffer.byteLength(validatorHotkey) > MAX_HOTKEY_BYTES || id === null) return null;
  return { validatorHotkey: cleanText(validatorHotkey, new Adjustments()), runId: id };
}
