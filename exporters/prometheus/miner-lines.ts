import type { MinerStats } from '#facts/miner-stats';
import { OVERFLOW } from '#semconv/metric-labels';
import { type CounterColumn, type MinerCounters, type MinerValue, MIRRORED_COLUMNS } from './miner-series.ts';
import { joinLines, type Labels, labelText, sampleLine } from './sample-line.ts';

/** The exposition lines of one miner within the budget; memoized on the first scrape, since most rows do not change. */
export class MinerLines {
  readonly row: MinerStats;
  #lines: readonly string[] | undefined;

  constructor(row: MinerStats) {
    this.row = row;
  }

  /** The lines of one metric, by its index in `MIRRORED_COLUMNS`; an empty text when the miner has none. */
  of(index: number): string {
    this.#lines ??= makeLines(this.row);
    return this.#lines[index] ?? '';
  }
}

function makeLines(row: MinerStats): readonly string[] {
  const labels = labelsOf(row);
  const common = labelText(labels);
  const labelsWith = (errorType: MinerValue['errorType']): string =>
    errorType === undefined ? common : labelText({ ...labels, error_type: errorType });
  return MIRRORED_COLUMNS.map(({ metric, read }) =>
    joinLines(read(row).map(({ value, errorType }) => sampleLine(metric, labelsWith(errorType), value))),
  );
}

function labelsOf({ validatorId, minerHotkey, minerUid }: MinerStats): Labels {
  const identity = { validator_id: String(validatorId), miner_hotkey: minerHotkey };
  return minerUid === null ? identity : { ...identity, miner_uid: String(minerUid) };
}

/** The lines of an overflow series: one counter, summed over the miners of a validator beyond the budget. */
export function overflowLines(
  { metric, read }: CounterColumn,
  miners: readonly MinerCounters[],
  validatorLabel: string,
): string {
  const sums = new Map<string | undefined, number>();
  for (const { value, errorType } of miners.flatMap(read)) {
    if (Number.isFinite(value) && value >= 0) sums.set(errorType, (sums.get(errorType) ?? 0) + value);
  }
  return joinLines(
    [...sums].map(([errorType, sum]) => {
      const labels = { validator_id: validatorLabel, miner_hotkey: OVERFLOW };
      const text = labelText(errorType === undefined ? labels : { ...labels, error_type: errorType });
      return sampleLine(metric, text, sum);
    }),
  );
}
