import type { ClientBase } from 'pg';
import type { KnownFolds } from '../upsert-projection.ts';
import type { MinerFold } from '../miner-fold.ts';
import { addToHistory, type ForecastHistory, type HistoryChange } from '../miner-history.ts';
import { readHistories, type MinerKey } from './miner-history.ts';

/** A miner, with those of its forecasts that a batch changed. */
export interface MinerToUpdate extends MinerKey {
  readonly changes: readonly HistoryChange[];
}

/**
 * Gives the histories that moved, by the texts of the keys. Mostly the new one follows from the one before and from what
 * has changed; where it does not, and where the one before is not known, it is read from the forecasts, which are written
 * already.
 */
export async function updateHistories(
  client: ClientBase,
  known: KnownFolds<MinerFold>,
  miners: ReadonlyMap<string, MinerToUpdate>,
): Promise<ReadonlyMap<string, ForecastHistory>> {
  const moved = new Map<string, ForecastHistory>();
  const unknown: MinerKey[] = [];
  for (const [key, miner] of miners) {
    const before = known.get(key)?.fold.history;
    const history = before === undefined ? null : addToHistory(before, miner.changes);
    if (history === null) unknown.push(miner);
    else if (history !== before) moved.set(key, history);
  }
  return new Map([...moved, ...(await readHistories(client, unknown))]);
}
