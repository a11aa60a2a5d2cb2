import { type BudgetedLabel, OVERFLOW } from '#semconv/metric-labels';
import { NameBudget } from './series-budget.ts';

/** Counts by name, such as dropped spans by reason. */
export type CountsByName = Readonly<Record<string, number>>;

/** Called with the number of observations that fell to the overflow series of a label. */
export type OverflowListener = (label: BudgetedLabel, count: number) => void;

/** Sums counts by name within a budget of names. */
export class NamedCounts {
  readonly #label: BudgetedLabel;
  readonly #names: NameBudget;
  readonly #onOverflow: OverflowListener;
  readonly #totals = new Map<string, number>();

  constructor(label: BudgetedLabel, maxNames: number, { onOverflow }: { onOverflow: OverflowListener }) {
    this.#label = label;
    this.#names = new NameBudget(maxNames);
    this.#onOverflow = onOverflow;
  }

  /** A count of 0 makes a series, so that the first that follows shows as an increase. */
  add(counts: CountsByName): void {
    for (const [name, count] of Object.entries(counts)) {
      const label = this.#names.toLabel(name);
      this.#totals.set(label, (this.#totals.get(label) ?? 0) + count);
      if (label === OVERFLOW) this.#onOverflow(this.#label, count);
    }
  }

  /** Totals so far by label value. */
  totals(): Iterable<readonly [string, number]> {
    return this.#totals;
  }

  /** Maps totals that are summed elsewhere to the label values of this budget. */
  relabel(counts: CountsByName): (readonly [string, number])[] {
    return Object.entries(counts).map(([name, count]) => [this.#names.toLabel(name), count]);
  }
}
