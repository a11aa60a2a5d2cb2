import type { MinerStats } from '../../src/facts/miner-stats.ts';
import { MIRRORED_COLUMNS, type MinerSeries } from './miner-series.ts';
import type { Labels } from './registry.ts';
import { joinLines, sampleLine } from './sample-line.ts';

/** What a scrape shows of one miner that has series of its own; made once, when it is first asked for. */
export class MinerLines {
  readonly row: MinerStats;
  #lines: readonly string[] | undefined;

  constructor(row: MinerStats) {
    this.row = row;
  }

  /** The lines of one metric, by its place in `MIRRORED_COLUMNS`; an empty text when the miner has none. */
  of(index: number): string {
    this.#lines ??= MIRRORED_COLUMNS.map((column) => linesOf(column, this.row));
    return this.#lines[index] ?? '';
  }
}

function linesOf({ metric, read }: MinerSeries, row: MinerStats): string {
  const labels = labelsOf(row);
  return joinLines(
    read(row).map(({ value, errorType }) =>
      sampleLine(metric, errorType === undefined ? labels : { ...labels, error_type: errorType }, value),
    ),
  );
}

function labelsOf({ validatorId, minerHotkey, minerUid }: MinerStats): Labels {
  const identity = { validator_id: String(validatorId), miner_hotkey: minerHotkey };
  return minerUid === null ? identity : { ...identity, miner_uid: String(minerUid) };
}
