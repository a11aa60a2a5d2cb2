import type { MinerStats } from '#facts/miner-stats';
import { OVERFLOW } from '#semconv/metric-labels';

/** Cardinality limits: how many series the values of open labels may create. */
export interface SeriesLimits {
  /** Miners, over all validators, that have series of their own: 256 slots and their former holders. */
  readonly maxMiners: number;
  /** Different reasons, and different tables, of one metric. */
  readonly maxNames: number;
  /** Open runs, over all validators, that have series of their own. */
  readonly maxRuns: number;
  /** Validators that are shown with their hotkey. */
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
export type BudgetedMiner = Pick<MinerStats, 'validatorId' | 'minerHotkey' | 'firstSeen'>;

/**
 * Orders miners by their claim to series of their own: first seen, first served. The order is a function of the rows
 * alone, so every process, and every restart, selects the same miners.
 */
export const bySeniority = (a: BudgetedMiner, b: BudgetedMiner): number =>
  (a.firstSeen ?? Infinity) - (b.firstSeen ?? Infinity) ||
  a.validatorId - b.validatorId ||
  (a.minerHotkey < b.minerHotkey ? -1 : 1);

/** The miners that have series of their own: the first `maxMiners` by seniority. */
export function withinBudget<Miner extends BudgetedMiner>(
  miners: Iterable<Miner>,
  maxMiners: number,
): ReadonlySet<Miner> {
  const showable = [...miners].filter(({ minerHotkey }) => isShowableIdentity(minerHotkey));
  return new Set(showable.length <= maxMiners ? showable : showable.sort(bySeniority).slice(0, maxMiners));
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
