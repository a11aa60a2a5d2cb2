import type { ClientBase, Pool } from 'pg';
import type { ValidatorIdentity } from '../log/read-log.ts';
import type { MinerFold } from '../projections/miner-fold.ts';
import type { MinerKey } from '../projections/tables/miner-history.ts';

/** The key of a miner as text, for maps by miner. */
export const minerKeyText = ({ validatorId, minerHotkey }: MinerKey): string =>
  `${validatorId}/${minerHotkey}`;

/**
 * The archived folds of these miners, by `minerKeyText`: what dropped steps contributed to them. A miner without
 * dropped steps is missing. A rebuild of `miner_stats` starts from it and adds the steps still in the log and all
 * forecasts.
 */
export async function readArchivedFold(
  client: ClientBase | Pool,
  miners: readonly MinerKey[],
): Promise<ReadonlyMap<string, MinerFold>> {
  if (miners.length === 0) return new Map();
  const { rows } = await client.query<MinerKey & { readonly fold: MinerFold }>(
    `select validator_id as "validatorId", miner_hotkey as "minerHotkey", fold from archived_miner_stats
     where (validator_id, miner_hotkey) in (select * from unnest($1::int[], $2::text[]))`,
    [miners.map(({ validatorId }) => validatorId), miners.map(({ minerHotkey }) => minerHotkey)],
  );
  return new Map(rows.map((row) => [minerKeyText(row), row.fold]));
}

/** Reads what retention archived of one validator before it dropped the log rows. */
type ReadArchive<Kept> = (client: ClientBase, validator: ValidatorIdentity) => Promise<Kept>;

/** Archived folds by hotkey: the initial state of a rebuild. Miners without one start from the empty fold. */
export const readArchivedFolds: ReadArchive<ReadonlyMap<string, MinerFold>> = async (
  client,
  { validatorId },
) => {
  const { rows } = await client.query<{ hotkey: string; fold: MinerFold }>(
    'select miner_hotkey as hotkey, fold from archived_miner_stats where validator_id = $1',
    [validatorId],
  );
  return new Map(rows.map(({ hotkey, fold }) => [hotkey, fold]));
};

/** The runs whose log is incomplete: their folds cannot be rebuilt and stay as they are. */
export const readArchivedRunIds: ReadArchive<readonly number[]> = async (client, { validatorId }) => {
  const { rows } = await client.query<{ id: number }>(
    'select run_id::float8 as id from archived_runs where validator_id = $1 order by run_id',
    [validatorId],
  );
  return rows.map(({ id }) => id);
};
