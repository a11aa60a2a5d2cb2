import type { MinerStats } from '#facts/miner-stats';
import { OVERFLOW } from '#semconv/metric-labels';

/** Cardinality limits: how many series the values of open labels may create. */
export interface SeriesLimits {
  /** Miners, over all validators, that have series of their own: 256 slots and their former holders. Validators share them. */
  readonly maxMiners: number;
  /** Different reasons, and different tables, of one metric. */
  readonly maxNames: number;
  /** Open runs, over all validators, that have series of their own. */
  readonly maxRuns: number;
  /** Validators that are shown with their hotkey, and whose miners have series of their own. */
  readonly maxValidators: number;
}

export const DEFAULT_SERIES_LIMITS: SeriesLimits = {
  maxMiners: 1024,
  maxNames: 64,
  maxRuns: 32,
  maxValidators: 64,
};

/** A hotkey that is allowed as a label value: neither the overflow label nor a separator of labels. */
const IDENTITY = /^[A-Za-z0-9][\w.-]{0,127}$/;
export const isShowableIdentity = (hotkey: string): boolean => IDENTITY.test(hotkey);

/** The columns that decide whether a miner has series of its own. */
export type BudgetedMiner = Pick<MinerStats, 'validatorId' | 'minerHotkey' | 'isSelected' | 'firstSeen'>;

/**
 * Orders miners by their claim to series of their own: those that a run took in before those that spans merely name, then
 * first seen, first served. The order is a function of the rows alone, so every process, and every restart, selects the
 * same miners.
 */
export const bySeniority = (a: BudgetedMiner, b: BudgetedMiner): number =>
  Number(b.isSelected) - Number(a.isSelected) ||
  (a.firstSeen ?? Infinity) - (b.firstSeen ?? Infinity) ||
  a.validatorId - b.validatorId ||
  (a.minerHotkey < b.minerHotkey ? -1 : 1);

/** The validators of miners that are shown by their number: the first `maxValidators` that were recorded. */
export function shownValidators(miners: Iterable<BudgetedMiner>, maxValidators: number): ReadonlySet<number> {
  const all = new Set(Array.from(miners, ({ validatorId }) => validatorId));
  return all.size <= maxValidators ? all : new Set([...all].sort((a, b) => a - b).slice(0, maxValidators));
}

/**
 * The miners that have series of their own. Max-min fair: the next miner of each validator comes before the one after it
 * of any, so that the miners which one validator names take no series that another one needs.
 */
export function withinBudget<Miner extends BudgetedMiner>(
  miners: Iterable<Miner>,
  { maxMiners, maxValidators }: Pick<SeriesLimits, 'maxMiners' | 'maxValidators'>,
): ReadonlySet<Miner> {
  const all = [...miners];
  const validators = shownValidators(all, maxValidators);
  const showable = all.filter(
    ({ validatorId, minerHotkey }) => validators.has(validatorId) && isShowableIdentity(minerHotkey),
  );
  if (showable.length <= maxMiners) return new Set(showable);
  const taken = new Map<number, number>();
  const places = showable.sort(bySeniority).map((miner) => {
    const place = taken.get(miner.validatorId) ?? 0;
    taken.set(miner.validatorId, place + 1);
    return { miner, place };
  });
  places.sort((a, b) => a.place - b.place || a.miner.validatorId - b.miner.validatorId);
  return new Set(places.slice(0, maxMiners).map(({ miner }) => miner));
}

const NAME = /^[a-z][a-z0-9_]{0,62}$/;

/**
 * Maps a name to a label value: itself while it is a lower-case identifier within the budget, else the overflow label.
 * Rejected names are not stored, so that arbitrary texts cannot exhaust memory.
 */
export class NameBudget {
  readonly #limit: number;
  readonly #admitted = new Set<string>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  toLabel(name: string): string {
    if (this.#admitted.has(name)) return name;
    if (this.#admitted.size >= this.#limit || !NAME.test(name)) return OVERFLOW;
    this.#admitted.add(name);
    return name;
  }
}
