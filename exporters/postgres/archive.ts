import type { ClientBase } from 'pg';
import type { MinerFold } from './projections/miner-fold.ts';
import type { ValidatorIdentity } from './log/read-log.ts';

/** What still counts although its rows are no longer in the log: retention has dropped them. */
type ReadArchive<Kept> = (client: ClientBase, validator: ValidatorIdentity) => Promise<Kept>;

/** By hotkey, with what the fold of a miner begins before its rows in the log are counted; the others with nothing. */
export const readBeginnings: ReadArchive<ReadonlyMap<string, MinerFold>> = async (
  client,
  { validatorId },
) => {
  const { rows } = await client.query<{ hotkey: string; fold: MinerFold }>(
    'select miner_hotkey as hotkey, fold from archived_miner_stats where validator_id = $1',
    [validatorId],
  );
  return new Map(rows.map(({ hotkey, fold }) => [hotkey, fold]));
};

/** The runs whose log is no longer whole: their folds cannot be made again and stay as they are. */
export const readRunsLeftAlone: ReadArchive<readonly number[]> = async (client, { validatorId }) => {
  const { rows } = await client.query<{ id: number }>(
    'select run_id::float8 as id from archived_runs where validator_id = $1 order by run_id',
    [validatorId],
  );
  return rows.map(({ id }) => id);
};
