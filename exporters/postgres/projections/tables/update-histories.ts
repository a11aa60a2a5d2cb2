import type { ClientBase } from 'pg';
import type { KnownFolds } from '../upsert-projection.ts';
import type { MinerFold } from '../miner-fold.ts';
import { addToHistory, type ForecastHistory, type HistoryChange } from '../miner-history.ts';
import { readHistories, type MinerKey } from './miner-history.ts';

/** A miner, with its forecasts that a batch changed. */
export interface MinerToUpdate extends MinerKey {
  readonly changes: readonly HistoryChange[];
}

/**
 * Incremental maintenance of the miners' histories; returns those that changed, by the text of the key. Where a change
 * cannot be applied to the previous history, or there is none, the history is recomputed from the forecast rows, which
 * are written already.
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
