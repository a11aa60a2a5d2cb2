import type { ClientBase } from 'pg';
import type { KnownFolds } from '../fold-rows.ts';
import type { MinerFold } from '../folds/miner-fold.ts';
import { addToHistory, type ForecastHistory, type HistoryChange } from '../folds/miner-history.ts';
import { groupBy } from '../recorded-fact.ts';
import { readHistories, type MinerKey } from './forecast-history.ts';

/** What a batch tells of some miners. */
interface Told<Miner> {
  readonly miners: readonly Miner[];
  readonly changes: readonly (Pick<HistoryChange, 'before' | 'after'> & {
    readonly item: MinerKey & { readonly fact: { readonly runId: number } };
  })[];
}

/** A miner with the history that it has now. */
export interface MovedHistory<Miner> {
  readonly miner: Miner;
  readonly history: ForecastHistory;
}

const textOf = ({ validatorId, minerHotkey }: MinerKey): string => `${validatorId}/${minerHotkey}`;

/**
 * Gives the histories that moved. Mostly the new one follows from the one before and from what has changed; where it does
 * not, and where the one before is not known, it is read from the forecasts, which are written already.
 */
export async function moveHistories<Miner extends MinerKey>(
  client: ClientBase,
  known: KnownFolds<MinerFold>,
  { miners, changes }: Told<Miner>,
): Promise<readonly MovedHistory<Miner>[]> {
  const changesOf = groupBy(
    changes.map(({ item, before, after }) => ({ item, before, after, runId: item.fact.runId })),
    ({ item }) => textOf(item),
  );
  const moved: MovedHistory<Miner>[] = [];
  const unknown = new Map<string, Miner>();
  for (const [key, miner] of new Map(miners.map((miner) => [textOf(miner), miner]))) {
    const before = known.get(key)?.fold.history;
    const history = before === undefined ? null : addToHistory(before, changesOf.get(key) ?? []);
    if (history === null) unknown.set(key, miner);
    else if (history !== before) moved.push({ miner, history });
  }
  return [...moved, ...(await readAnew(client, unknown))];
}

async function readAnew<Miner extends MinerKey>(
  client: ClientBase,
  miners: ReadonlyMap<string, Miner>,
): Promise<readonly MovedHistory<Miner>[]> {
  const histories = await readHistories(client, [...miners.values()]);
  return [...histories].flatMap(([key, history]) => {
    const miner = miners.get(key);
    return miner === undefined ? [] : [{ miner, history }];
  });
}
