import { isSameEffect, noEffect, type RunEffect } from './run-effect.ts';

/** A run of a batch, with what it adds to its forecasts before and after the batch. */
export interface RunChange {
  readonly validatorId: number;
  readonly validatorHotkey: string;
  readonly runId: number;
  readonly before: RunEffect;
  readonly after: RunEffect;
}

/** The runs of a batch, changed or not, by validator and run. */
export type RunChanges = ReadonlyMap<string, RunChange>;

const keyOf = (validatorId: number, runId: number): string => `${validatorId}/${runId}`;

export const toRunChanges = (changes: readonly RunChange[]): RunChanges =>
  new Map(changes.map((change) => [keyOf(change.validatorId, change.runId), change]));

/** What a run adds to its forecasts, before and after the batch. */
export const effectsOf = (
  runs: RunChanges,
  validatorId: number,
  runId: number,
): Pick<RunChange, 'before' | 'after'> =>
  runs.get(keyOf(validatorId, runId)) ?? { before: noEffect, after: noEffect };

/** The runs whose forecasts may have changed without a fact of their own. */
export const effectiveChanges = (runs: RunChanges): readonly RunChange[] =>
  [...runs.values()].filter(({ before, after }) => !isSameEffect(before, after));
