import { Adjustments, cleanText } from '#facts/clean-value';
import type { ObservedSpan } from '#facts/observed-span';
import type { RunIdentity } from './ledger.ts';

/** Longest name of a validator that is counted for, bytes: no key of a table holds one much longer. */
const MAX_HOTKEY_BYTES = 2000;

/** Finds the runs of spans; spans of one run that follow one another are given the same key. */
export class RunFinder {
  #validatorHotkey: unknown = null;
  #runId: unknown = null;
  #run: RunIdentity | null = null;

  /**
   * The run that the step of a span belongs to, as the rows will name it; null when it names none. What the database
   * cannot hold must not get into an account, which is told with the spans of others.
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
  if (Buffer.byteLength(validatorHotkey) > MAX_HOTKEY_BYTES || !Number.isSafeInteger(runId)) return null;
  return { validatorHotkey: cleanText(validatorHotkey, new Adjustments()), runId: Number(runId) };
}
