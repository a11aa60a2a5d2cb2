import type { CommittedMinerStats, MinerStats } from '#facts/miner-stats';
import type { MinerPresence } from './stale-miners.ts';
import { MinerLines } from './miner-lines.ts';
import type { MinerCounters } from './miner-series.ts';
import type { BudgetedMiner } from './series-budget.ts';

/** What is kept of one row of `miner_stats`. */
export interface MirroredMiner extends MinerPresence, BudgetedMiner {
  readonly rowVersion: string;
  readonly counters: MinerCounters;
  /** Null for a miner beyond the budget, of which nothing but the counters is shown. */
  readonly lines: MinerLines | null;
}

/** A row that may have series of its own. */
export function mirrorRow(row: CommittedMinerStats): MirroredMiner {
  const { validatorId, minerHotkey, minerUid, firstSeen, updatedAt, rowVersion } = row;
  const presence = { validatorId, minerHotkey, minerUid, firstSeen, updatedAt };
  return { ...presence, rowVersion, counters: row, lines: new MinerLines(row) };
}

/** The same without series of its own, and with nothing kept that only those would need. */
export function withoutLines(miner: MirroredMiner): MirroredMiner {
  const { successfulForecasts, failedForecasts, hostingSuccesses, hostingFailures } = miner.counters;
  const { commonErrors, totalInferenceTime } = miner.counters;
  const forecasts = { successfulForecasts, failedForecasts, totalInferenceTime };
  return {
    ...miner,
    counters: { ...forecasts, hostingSuccesses, hostingFailures, commonErrors },
    lines: null,
  };
}

/** The hotkey is the miner; a slot that changes hands makes another miner. */
export const mirroredMinerKey = ({
  validatorId,
  minerHotkey,
}: Pick<MinerStats, 'validatorId' | 'minerHotkey'>): string => `${validatorId}/${minerHotkey}`;

/** Whether two rows are equal in what the metrics need. */
export function rowsEqual(miner: MirroredMiner, row: MinerStats): boolean {
  const { minerUid, firstSeen, updatedAt } = miner;
  const kept = { minerUid, firstSeen, updatedAt, ...(miner.lines?.row ?? miner.counters) };
  return (Object.keys(kept) as (keyof typeof kept)[]).every((column) => isSame(kept[column], row[column]));
}

const isSame = (a: unknown, b: unknown): boolean =>
  Object.is(a, b) || (typeof a === 'object' && JSON.stringify(a) === JSON.stringify(b));
