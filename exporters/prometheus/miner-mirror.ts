import type { MinerStats } from '../../src/facts/miner-stats.ts';
import { OVERFLOW } from '../../src/semconv/metric-labels.ts';
import { METRICS } from '../../src/semconv/metrics.ts';
import { MINER_SERIES, type MinerSeries, type MinerValue } from './miner-series.ts';
import type { OverflowListener } from './named-counts.ts';
import type { Labels, MetricRegistry, Sample } from './registry.ts';
import { isShowableIdentity } from './series-budget.ts';

type MinerIdentity = Pick<MinerStats, 'validatorHotkey' | 'minerHotkey'>;

/** A miner keeps what it got when it was first seen: moving to another series would look like a burst in both. */
interface MirroredMiner {
  readonly row: MinerStats;
  readonly hasOwnSeries: boolean;
}

/**
 * The rows of `miner_stats` as last committed. The series are made from these rows at every scrape and from nothing
 * else, so they cannot count what the table does not.
 *
 * Miners beyond the budget share one series in each counter, the sum over them, so that totals stay right. A ratio, a
 * rank or a score of several miners means nothing; those gauges have no series for them.
 */
export class MinerMirror {
  readonly #miners = new Map<string, MirroredMiner>();
  readonly #maxMiners: number;
  readonly #onOverflow: OverflowListener;
  #withOwnSeries = 0;
  #driftRows: number | null = null;

  constructor(registry: MetricRegistry, maxMiners: number, { onOverflow }: { onOverflow: OverflowListener }) {
    this.#maxMiners = maxMiners;
    this.#onOverflow = onOverflow;
    for (const series of Object.values(MINER_SERIES)) {
      registry.derived(series.metric, () => this.#samples(series));
    }
    registry.derived(METRICS.minersOverflowed, () => [
      { labels: {}, value: this.#miners.size - this.#withOwnSeries },
    ]);
    registry.derived(METRICS.minerStatsDrift, () =>
      this.#driftRows === null ? [] : [{ labels: {}, value: this.#driftRows }],
    );
  }

  /** Takes rows as a commit left them. */
  update(rows: readonly MinerStats[]): void {
    for (const row of rows) {
      const key = keyOf(row);
      const hasOwnSeries = this.#miners.get(key)?.hasOwnSeries ?? this.#admit(row);
      this.#miners.set(key, { row, hasOwnSeries });
      if (!hasOwnSeries) this.#onOverflow('miner_hotkey', 1);
    }
  }

  /** Takes the whole table: a miner that is not in it has no series any more. */
  replace(rows: readonly MinerStats[]): void {
    const present = new Set(rows.map(keyOf));
    for (const key of this.#miners.keys()) if (!present.has(key)) this.#forgetKey(key);
    this.update(rows);
  }

  /** Compares with the whole table, keeps what the table says, and tells how many rows differed. */
  reconcile(rows: readonly MinerStats[]): number {
    const shown = new Map([...this.#miners].map(([key, { row }]) => [key, shownValues(row)]));
    const wanted = new Map(rows.map((row) => [keyOf(row), shownValues(row)]));
    const keys = new Set([...shown.keys(), ...wanted.keys()]);
    const drifted = [...keys].filter((key) => shown.get(key) !== wanted.get(key)).length;
    this.#driftRows = drifted;
    this.replace(rows);
    return drifted;
  }

  /** Drops the series of a miner with every validator. */
  forget(minerHotkey: string): void {
    for (const [key, { row }] of this.#miners) if (row.minerHotkey === minerHotkey) this.#forgetKey(key);
  }

  #admit({ validatorHotkey, minerHotkey }: MinerIdentity): boolean {
    if (this.#withOwnSeries >= this.#maxMiners) return false;
    if (!isShowableIdentity(validatorHotkey) || !isShowableIdentity(minerHotkey)) return false;
    this.#withOwnSeries += 1;
    return true;
  }

  #forgetKey(key: string): void {
    if (this.#miners.get(key)?.hasOwnSeries === true) this.#withOwnSeries -= 1;
    this.#miners.delete(key);
  }

  *#samples({ metric, read }: MinerSeries): Generator<Sample> {
    for (const { row, hasOwnSeries } of this.#miners.values()) {
      if (!hasOwnSeries && metric.type === 'gauge') continue;
      const labels = hasOwnSeries ? labelsOf(row) : { miner_hotkey: OVERFLOW };
      for (const value of read(row)) yield toSample(labels, value);
    }
  }
}

/** The hotkey is the miner; a slot that changes hands makes another miner. */
const keyOf = ({ validatorHotkey, minerHotkey }: MinerIdentity): string =>
  JSON.stringify([validatorHotkey, minerHotkey]);

function labelsOf({ validatorId, minerHotkey, minerUid }: MinerStats): Labels {
  const identity = { validator_id: String(validatorId), miner_hotkey: minerHotkey };
  return minerUid === null ? identity : { ...identity, miner_uid: String(minerUid) };
}

const toSample = (labels: Labels, { value, errorType }: MinerValue): Sample => ({
  labels: errorType === undefined ? labels : { ...labels, error_type: errorType },
  value,
});

/** All that the metrics show of a row, as text that is equal when they show the same. */
const shownValues = (row: MinerStats): string =>
  JSON.stringify([row.minerUid, ...Object.values(MINER_SERIES).map(({ read }) => read(row))]);
