import type { CommittedMinerStats, MinerStatsRead } from '#facts/miner-stats';
import { METRICS } from '#semconv/metrics';
import { findStaleMiners } from './stale-miners.ts';
import { MIRRORED_COLUMNS, type MinerSeries } from './miner-series.ts';
import {
  mirroredMinerKey,
  mirrorRow,
  rowsEqual,
  withoutLines,
  type MirroredMiner,
} from './mirrored-miner.ts';
import type { OverflowListener } from './named-counts.ts';
import { overflowLines } from './miner-lines.ts';
import { OVERFLOW } from '#semconv/metric-labels';
import type { MetricRegistry } from './registry.ts';
import { joinLines } from './sample-line.ts';
import { bySeniority, shownValidators, withinBudget, type SeriesLimits } from './series-budget.ts';

/**
 * In-memory mirror of `miner_stats` as last committed. The series derive from these rows alone, so they cannot count
 * what the table does not. Which miners have series is a function of the rows, too: a stale miner has none, and its row
 * is dropped.
 *
 * Miners beyond the budget share one overflow series of their validator in each counter, the sum over them, so that its
 * totals stay right. A rank or a score of several miners means nothing; the gauges have no series for them.
 */
export class MinerMirror {
  readonly #miners = new Map<string, MirroredMiner>();
  readonly #limits: MinerLimits;
  readonly #onOverflow: OverflowListener;
  #hasSeen: MinerStatsRead['hasSeen'] = () => false;
  #driftRows: number | null = null;

  constructor(
    registry: MetricRegistry,
    limits: MinerLimits,
    { onOverflow }: { onOverflow: OverflowListener },
  ) {
    this.#limits = limits;
    this.#onOverflow = onOverflow;
    MIRRORED_COLUMNS.forEach((column, index) => {
      registry.text(column.metric, () => this.#linesOf(column, index));
    });
    registry.derived(METRICS.minersOverflowed, () =>
      [...this.#byValidator()].map(([label, miners]) => ({
        labels: { validator_id: label },
        value: miners.filter(isOverflowed).length,
      })),
    );
    registry.derived(METRICS.minerStatsDrift, () =>
      this.#driftRows === null ? [] : [{ labels: {}, value: this.#driftRows }],
    );
  }

  /** Applies rows as a commit left them. A row version visible to the last refresh's snapshot is skipped as outdated. */
  update(rows: readonly CommittedMinerStats[]): void {
    const changed = rows.filter(({ rowVersion }) => !this.#hasSeen(rowVersion));
    this.#apply(changed);
    const overflowed = changed.filter(
      (row) => this.#miners.get(mirroredMinerKey(row))?.lines === null,
    ).length;
    if (overflowed > 0) this.#onOverflow('miner_hotkey', overflowed);
  }

  /** Replaces the mirror by the whole table: a miner that is not in it loses its series. */
  replace(rows: readonly CommittedMinerStats[]): void {
    this.#miners.clear();
    this.#hasSeen = () => false;
    this.update(rows);
  }

  /**
   * Merges what other processes committed. Snapshot visibility decides: a row applied by this process after the read's
   * snapshot is newer than the read and stays. A row with the mirrored version but other values is drift.
   */
  refresh({ rows, hasSeen }: MinerStatsRead): void {
    const stale = new Set(findStaleMiners(rows));
    const current = new Map(rows.filter((row) => !stale.has(row)).map((row) => [mirroredMinerKey(row), row]));
    const changed: CommittedMinerStats[] = [];
    let drifted = 0;
    for (const [key, row] of current) {
      const kept = this.#miners.get(key);
      if (kept !== undefined && !hasSeen(kept.rowVersion)) continue;
      const isRight = kept?.rowVersion === row.rowVersion && rowsEqual(kept, row);
      if (kept?.rowVersion === row.rowVersion && !isRight) drifted += 1;
      // A miner beyond the budget is applied again each time: there may be room for it now.
      if (!isRight || kept.lines === null) changed.push(row);
    }
    for (const [key, kept] of this.#miners) {
      if (!current.has(key) && hasSeen(kept.rowVersion)) this.#miners.delete(key);
    }
    this.#apply(changed);
    this.#hasSeen = hasSeen;
    this.#driftRows = drifted;
  }

  #apply(rows: readonly CommittedMinerStats[]): void {
    if (rows.length === 0) return;
    for (const row of rows) this.#miners.set(mirroredMinerKey(row), mirrorRow(row));
    for (const miner of findStaleMiners(this.#miners.values())) this.#miners.delete(mirroredMinerKey(miner));
    this.#keepWithinBudget();
  }

  /** Evicts lines beyond the budget. A miner that gets room has series once its row is applied again, by the next refresh. */
  #keepWithinBudget(): void {
    const own = withinBudget(this.#miners.values(), this.#limits);
    for (const [key, miner] of this.#miners) {
      if (miner.lines !== null && !own.has(miner)) this.#miners.set(key, withoutLines(miner));
    }
  }

  /** The mirrored miners by the label of their validator; those of validators beyond the budget have one together. */
  #byValidator(): ReadonlyMap<string, readonly MirroredMiner[]> {
    const shown = shownValidators(this.#miners.values(), this.#limits.maxValidators);
    const groups = new Map<string, MirroredMiner[]>();
    for (const miner of this.#miners.values()) {
      const label = shown.has(miner.validatorId) ? String(miner.validatorId) : OVERFLOW;
      const group = groups.get(label);
      if (group === undefined) groups.set(label, [miner]);
      else group.push(miner);
    }
    return groups;
  }

  #linesOf(column: MinerSeries, index: number): string {
    const own = [...this.#miners.values()].map(({ lines }) => lines?.of(index) ?? '');
    if (column.kind === 'gauge') return joinLines(own);
    const others = [...this.#byValidator()].map(([label, miners]) => {
      // In a fixed order, since floating-point addition is not associative.
      const counters = miners
        .filter(isOverflowed)
        .sort(bySeniority)
        .map((miner) => miner.counters);
      return overflowLines(column, counters, label);
    });
    return joinLines([...own, ...others]);
  }
}

type MinerLimits = Pick<SeriesLimits, 'maxMiners' | 'maxValidators'>;

const isOverflowed = ({ lines }: MirroredMiner): boolean => lines === null;
