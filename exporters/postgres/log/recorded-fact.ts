import type { StepFact } from '#facts/step-fact';
import { column, type Column } from '../sql/columns.ts';

/** A fact with the database id of its validator. */
export interface RecordedFact {
  readonly validatorId: number;
  /** The hotkey of the fact, repeated so that it can be narrowed to a string. */
  readonly minerHotkey: string | null;
  readonly fact: StepFact;
}

/** A fact of one miner. */
export interface MinerFact extends RecordedFact {
  readonly minerHotkey: string;
}

export const recorded = (validatorId: number, fact: StepFact): RecordedFact => ({
  validatorId,
  minerHotkey: fact.minerHotkey,
  fact,
});

const isOfMiner = (recordedFact: RecordedFact): recordedFact is MinerFact =>
  recordedFact.minerHotkey !== null;

export const ofMiners = (facts: readonly RecordedFact[]): readonly MinerFact[] => facts.filter(isOfMiner);

/** Groups items by a key, in the order of first occurrence. */
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

/** A miner of a run: the owner of one row in the tables with one row per miner and run. */
export interface MinerRun {
  readonly validatorId: number;
  readonly minerHotkey: string;
  readonly fact: Pick<StepFact, 'runId' | 'validatorHotkey'>;
}

/** Key columns of the tables with one row per miner and run. */
export const MINER_RUN_KEY: readonly Column<MinerRun>[] = [
  column('validator_id', 'int', ({ validatorId }) => validatorId),
  column('run_id', 'bigint', ({ fact }) => fact.runId),
  column('miner_hotkey', 'text', ({ minerHotkey }) => minerHotkey),
];

/** A run of a validator. */
export interface RunOf {
  readonly validatorId: number;
  readonly runId: number;
}

/** Key columns of a run in the tables with many rows per run. */
export const RUN_KEY: readonly Column<RunOf>[] = [
  column('validator_id', 'int', ({ validatorId }) => validatorId),
  column('run_id', 'bigint', ({ runId }) => runId),
];

/** The distinct runs of these facts. */
export function runsOf(
  facts: readonly { readonly validatorId: number; readonly fact: Pick<StepFact, 'runId'> }[],
): readonly RunOf[] {
  const runs: RunOf[] = [];
  const known = new Map<number, Set<number>>();
  for (const { validatorId, fact } of facts) {
    const ofValidator = known.get(validatorId) ?? new Set();
    if (ofValidator.has(fact.runId)) continue;
    known.set(validatorId, ofValidator.add(fact.runId));
    runs.push({ validatorId, runId: fact.runId });
  }
  return runs;
}
