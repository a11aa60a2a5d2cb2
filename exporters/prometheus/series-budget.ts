import type { MinerStats } from '#facts/miner-stats';
import { OVERFLOW } from '#semconv/metric-labels';

/** How many series the values of open labels may make. */
export interface SeriesLimits {
  /** Miners, over all validators, that have series of their own: 256 slots and those who held them before. */
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

/** What a hotkey may look like to be a label; neither the common label nor a separator of labels. */
const IDENTITY = /^[A-Za-z0-9][\w.-]{0,127}$/;
export const isShowableIdentity = (hotkey: string): boolean => IDENTITY.test(hotkey);

/** What decides whether a miner has series of its own. */
export type BudgetedMiner = Pick<MinerStats, 'validatorId' | 'minerHotkey' | 'firstSeen'>;

/**
 * The miners in the order in which they have a claim to series of their own: whoever was seen first. It follows from the
 * rows alone, so that every process, and every restart, gives the same miners their series.
 */
export const bySeniority = (a: BudgetedMiner, b: BudgetedMiner): number =>
  (a.firstSeen ?? Infinity) - (b.firstSeen ?? Infinity) ||
  a.validatorId - b.validatorId ||
  (a.minerHotkey < b.minerHotkey ? -1 : 1);

/** The miners that have series of their own. */
export function withinBudget<Miner extends BudgetedMiner>(
  miners: Iterable<Miner>,
  maxMiners: number,
): ReadonlySet<Miner> {
  const showable = [...miners].filter(({ minerHotkey }) => isShowableIdentity(minerHotkey));
  return new Set(showable.length <= maxMiners ? showable : showable.sort(bySeniority).slice(0, maxMiners));
}

const NAME = /^[a-z][a-z0-9_]{0,62}$/;

/**
 * A name as a label value: itself while it is a lower-case identifier within the budget, else the common one. The
 * names that were refused are not kept, so that arbitrary texts cannot fill the memory.
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
