import type { ClientBase } from 'pg';
import type { MinerFold } from './folds/miner-fold.ts';
import type { Validator } from './tables/log-rows.ts';

/**
 * What still counts although its rows are no longer in the log. No partition of the log is ever dropped so far, so there
 * is nothing of the kind.
 */
type ReadArchive<Kept> = (client: ClientBase, validator: Validator) => Promise<Kept>;

/** By hotkey, with what the fold of a miner begins before its rows in the log are counted; the others with nothing. */
export const readBeginnings: ReadArchive<ReadonlyMap<string, MinerFold>> = () => Promise.resolve(new Map());

/** The runs whose log is no longer whole: their folds cannot be made again and stay as they are. */
export const readRunsLeftAlone: ReadArchive<readonly number[]> = () => Promise.resolve([]);
