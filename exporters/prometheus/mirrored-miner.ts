import type { CommittedMinerStats, MinerStats } from '#facts/miner-stats';
import type { MinerPresence } from './stale-miners.ts';
import { MinerLines } from './miner-lines.ts';
import type { MinerCounters } from './miner-series.ts';
import type { BudgetedMiner } from './series-budget.ts';

/** One mirrored row of `miner_stats`. */
export interface MirroredMiner extends MinerPresence, BudgetedMiner {
  readonly rowVersion: string;
  readonly counters: MinerCounters;
  /** Null for a miner beyond the budget, of which only the counters are exposed. */
  readonly lines: MinerLines | null;
}

/** A mirrored row with series of its own. */
export function mirrorRow(row: CommittedMinerStats): MirroredMiner {
  const { validatorId, minerHotkey, minerUid, isSelected, firstSeen, updatedAt, rowVersion } = row;
  const presence = { validatorId, minerHotkey, minerUid, isSelected, firstSeen, updatedAt };
  return { ...presence, rowVersion, counters: row, lines: new MinerLines(row) };
}

/** The same row beyond the budget: only the columns that the overflow sums need, so that memory stays bounded. */
export function withoutLines(miner: MirroredMiner): MirroredMiner {
  const { successfulForecasts, failedForecasts, excusedForecasts, hostingSuccesses, hostingFailures } =
    miner.counters;
  const { commonErrors, totalInferenceTime } = miner.counters;
  const forecasts = { successfulForecasts, failedForecasts, excusedForecasts, totalInferenceTime };
  return {
    ...miner,
    counters: { ...forecasts, hostingSuccesses, hostingFailures, commonErrors },
    lines: null,
  };
}

/** The key of a mirrored row. The hotkey identifies the miner; a slot with a new hotkey is another miner. */
export const mirroredMinerKey = ({
  validatorId,
  minerHotkey,
}: Pick<MinerStats, 'validatorId' | 'minerHotkey'>): string => `${validatorId}/${minerHotkey}`;

/** Whether the mirrored row equals the read one, in the columns that the metrics expose or need. */
export function rowsEqual(miner: MirroredMiner, row: MinerStats): boolean {
  const { minerUid, isSelected, firstSeen, updatedAt } = miner;
  const kept = { minerUid, isSelected, firstSeen, updatedAt, ...(miner.lines?.row ?? miner.counters) };
  return (Object.keys(kept) as (keyof typeof kept)[]).every((column) => isSame(kept[column], row[column]));
}

const isSame = (a: unknown, b: unknown): boolean =>
  Object.is(a, b) || (typeof a === 'object' && JSON.stringify(a) === JSON.stringify(b));
