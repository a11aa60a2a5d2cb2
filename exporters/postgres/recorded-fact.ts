import type { StepFact } from '../../src/facts/step-fact.ts';
import { column, type Column } from './columns.ts';

/** A fact whose validator has a number in the database. */
export interface RecordedFact {
  readonly validatorId: number;
  readonly fact: StepFact;
}

/** A fact of one miner. */
export interface MinerFact extends RecordedFact {
  readonly minerHotkey: string;
}

export function ofMiners(facts: readonly RecordedFact[]): readonly MinerFact[] {
  return facts.flatMap(({ validatorId, fact }) =>
    fact.minerHotkey === null ? [] : [{ validatorId, fact, minerHotkey: fact.minerHotkey }],
  );
}

/** Groups by a key, keeping the order in which the keys were met. */
export function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

/** The key of what is kept per miner and run. */
export const MINER_RUN_KEY: readonly Column<MinerFact>[] = [
  column('validator_id', 'int', ({ validatorId }) => validatorId),
  column('run_id', 'bigint', ({ fact }) => fact.runId),
  column('miner_hotkey', 'text', ({ minerHotkey }) => minerHotkey),
];
