import type { ClientBase, Pool } from 'pg';
import { inTransaction } from '#database/transaction';
import { isError, messageOf } from '#semconv/message-of';
import type { ValidatorIdentity } from '../log/read-log.ts';
import { isRetryableDatabaseError, sqlStateOf } from '../sql/database-error.ts';
import { emptyMinerFold, type MinerFold } from '../projections/miner-fold.ts';
import { foldMiners, rankMiners } from '../projections/tables/miner-stats.ts';
import { applyForecasts, ownerOf, refoldRun } from './rebuild.ts';
import { lockScopes } from './rebuild-scope.ts';

/** Rows that a migration marked: those of one run, or with a null run the `miner_stats` of a validator. */
export interface OutdatedRows extends ValidatorIdentity {
  readonly runId: number | null;
}

/** What was computed, and how many marks are left. */
export interface RecomputeProgress extends OutdatedRows {
  readonly left: number;
}

/** Rows that could not be computed, and why. They stay marked. */
export interface RecomputeFailure extends OutdatedRows {
  readonly error: unknown;
}

/** How outdated rows are computed. */
export interface RecomputeOptions {
  readonly onProgress?: (progress: RecomputeProgress) => void;
  /** Called for rows that another attempt would not compute either; the others are computed all the same. */
  readonly onFailure?: (failure: RecomputeFailure) => void;
  /** Stops it between two transactions; the rest stays marked. */
  readonly signal?: AbortSignal;
}

/** Miners per transaction: it reads all their forecasts. */
const MINERS_AT_ONCE = 32;

/**
 * Computes the rows again whose meaning a migration has changed, from the log: newest runs first, then the miners of
 * the validator. The marks stand in `outdated_projections`, and each goes in the transaction that computes its rows, so
 * it may be stopped at any time, and any number of processes may do it at once. Writers of a validator wait for one run,
 * or for some miners, never for all.
 *
 * Rows that cannot be computed hold up no others.
 *
 * @returns how many marks this call removed
 * @throws the first error that another attempt may not meet, after the others; that of a database that is away at once
 */
export async function recomputeOutdated(pool: Pool, options: RecomputeOptions = {}): Promise<number> {
  const { onProgress = () => undefined, onFailure = () => undefined, signal } = options;
  const failed: OutdatedRows[] = [];
  let retryable: RecomputeFailure | null = null;
  for (let done = 0; ;) {
    const outdated = signal?.aborted === true ? null : await findOutdated(pool, failed);
    if (outdated === null) {
      if (retryable !== null) throw failureError(retryable);
      return done;
    }
    try {
      await recomputeInParts(pool, outdated, signal);
      done += 1;
      onProgress({ ...outdated, left: await countOutdated(pool) });
    } catch (error) {
      failed.push(outdated);
      if (isOfTheRows(error)) onFailure({ ...outdated, error });
      else retryable ??= { ...outdated, error };
    }
  }
}

/** Says which rows could not be computed, and why. */
export const describeFailure = ({ validatorHotkey, runId, error }: RecomputeFailure): string =>
  `${runId === null ? 'The rows of miners' : `Run ${runId}`} of validator ${validatorHotkey} could not be computed ` +
  `again from the log: ${messageOf(error).replace(/\.$/, '')}`;

/** Whether another attempt fails as well, until somebody changes the log; class XX of SQLSTATE is damage of the files. */
const isOfTheRows = (error: unknown): boolean =>
  !isRetryableDatabaseError(error) || (isError(error) && sqlStateOf(error)?.startsWith('XX') === true);

const failureError = (failure: RecomputeFailure): Error =>
  new Error(describeFailure(failure), { cause: failure.error });

async function recomputeInParts(
  pool: Pool,
  outdated: OutdatedRows,
  signal: AbortSignal | undefined,
): Promise<void> {
  let after: string | null = null;
  do {
    const work = (client: ClientBase): Promise<string | null> => recompute(client, outdated, after);
    after = await inTransaction(pool, work, { isLong: true });
  } while (after !== null && signal?.aborted !== true);
}

/** The rows to compute next, without those that this call could not compute. */
async function findOutdated(pool: Pool, failed: readonly OutdatedRows[]): Promise<OutdatedRows | null> {
  const { rows } = await pool.query<OutdatedRows>(
    `select validator.id as "validatorId", validator.hotkey as "validatorHotkey", outdated.run_id::float8 as "runId"
     from outdated_projections as outdated join validators as validator on validator.id = outdated.validator_id
     where not exists (
       select from unnest($1::integer[], $2::bigint[]) as failed (validator_id, run_id)
       where failed.validator_id = outdated.validator_id and failed.run_id is not distinct from outdated.run_id)
     order by outdated.validator_id, outdated.run_id desc nulls last limit 1`,
    [failed.map(({ validatorId }) => validatorId), failed.map(({ runId }) => runId)],
  );
  return rows[0] ?? null;
}

/** How many marks there are: one for each run, and one for the miners of each validator. */
export async function countOutdated(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    'select count(*)::int as count from outdated_projections',
  );
  return rows[0]?.count ?? 0;
}

/** @returns the last miner of this part; null when the marked rows are done, here or by another process */
async function recompute(
  client: ClientBase,
  outdated: OutdatedRows,
  after: string | null,
): Promise<string | null> {
  const { validatorHotkey, runId } = outdated;
  const [scope] = await lockScopes(client, { validatorHotkey, runId: null });
  if (scope === undefined || !(await unmark(client, outdated))) return null;
  if (runId === null) {
    const last = await recomputeMiners(client, scope, after);
    if (last !== null) await mark(client, outdated);
    return last;
  }
  await refoldRun(client, { ...scope, runId });
  // The rows of its miners follow from it. They are marked, unless they were computed while this run could not be.
  await mark(client, { ...outdated, runId: null });
  return null;
}

/**
 * Also of a fold that was stored before it said so. By the runs of the miner, which the index of the log begins with; a
 * scalar subquery, since PostgreSQL may hash the whole log for `exists`.
 */
const IS_SELECTED = `miner.fold -> 'selected' is not null or (
  select true from weather_forecast_stats as forecast
  join weather_forecast_steps as step on (step.validator_id, step.run_id, step.miner_hotkey)
    = (forecast.validator_id, forecast.run_id, forecast.miner_hotkey) and step.step_name = 'seed'
  where (forecast.validator_id, forecast.miner_hotkey) = (miner.validator_id, miner.miner_hotkey)
  limit 1) is true`;

/**
 * Computes the counts of forecasts of some miners again, from the forecasts, and whether a run took them in, from the log;
 * what the steps of the log have counted stays. Idempotent, so that an interrupted round begins with the first miner again.
 */
async function recomputeMiners(
  client: ClientBase,
  scope: ValidatorIdentity,
  after: string | null,
): Promise<string | null> {
  const { rows } = await client.query<{ hotkey: string; fold: MinerFold; isSelected: boolean }>(
    `select miner.miner_hotkey as hotkey, miner.fold, ${IS_SELECTED} as "isSelected" from miner_stats as miner
     where miner.validator_id = $1 and ($2::text is null or miner.miner_hotkey > $2)
     order by miner.miner_hotkey limit ${MINERS_AT_ONCE}`,
    [scope.validatorId, after],
  );
  const uncounted = rows.map(({ hotkey, fold, isSelected }) => ({
    ...ownerOf(scope, hotkey),
    kind: 'archived' as const,
    fold: { ...withoutForecasts(fold), ...(isSelected && { selected: true as const }) },
  }));
  await foldMiners(client, uncounted, []);
  const hotkeys = rows.map(({ hotkey }) => hotkey);
  await applyForecasts(client, scope, hotkeys);
  if (hotkeys.length === MINERS_AT_ONCE) return hotkeys.at(-1) ?? null;
  await rankMiners(client, [scope.validatorId]);
  return null;
}

/** The part of a fold that follows from the steps of the log alone; an absent `excused` is none. */
function withoutForecasts(fold: MinerFold): MinerFold {
  const { uid, hostingSuccesses, hostingFailures, hostingLatency, errors, firstSeen, lastActive, updatedAt } =
    fold;
  const ofSteps = { uid, hostingSuccesses, hostingFailures, hostingLatency, errors, firstSeen, lastActive };
  return { ...emptyMinerFold, ...ofSteps, updatedAt };
}

/** @returns false when there was no mark: another process has computed the rows */
async function unmark(client: ClientBase, { validatorId, runId }: OutdatedRows): Promise<boolean> {
  const { rowCount } = await client.query(
    'delete from outdated_projections where validator_id = $1 and run_id is not distinct from $2::bigint',
    [validatorId, runId],
  );
  return rowCount === 1;
}

async function mark(client: ClientBase, { validatorId, runId }: OutdatedRows): Promise<void> {
  await client.query(
    'insert into outdated_projections (validator_id, run_id) values ($1, $2) on conflict do nothing',
    [validatorId, runId],
  );
}
