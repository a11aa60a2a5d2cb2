import type { ClientBase } from 'pg';
import { readArchivedFolds } from '../retention/archived-folds.ts';
import { readByCursor } from '../sql/read-by-cursor.ts';
import {
  isRefolded,
  lockScopes,
  MINER_FOLD,
  RUN_FOLDS,
  type FoldRequest,
  type FoldTable,
  type RebuildScope,
} from './rebuild-scope.ts';
import { ofMiners, type RecordedFact } from '../log/recorded-fact.ts';
import type { ForecastFold } from '../projections/forecast-fold.ts';
import { toForecastRow } from '../projections/forecast-row.ts';
import { noEffect, toRunEffect } from '../projections/run-effect.ts';
import type { RunFold } from '../projections/run-fold.ts';
import { rankRuns, writeForecasts, type ForecastChange } from '../projections/tables/forecast-stats.ts';
import { writeJobLogs } from '../log/job-logs.ts';
import { readFacts, type ValidatorIdentity } from '../log/read-log.ts';
import { factChange } from '../projections/miner-changes.ts';
import { foldMiners, rankMiners } from '../projections/tables/miner-stats.ts';
import { writeResponses } from '../projections/tables/responses.ts';
import { writeRuns } from '../projections/tables/runs.ts';

/** The result of a rebuild. */
export interface Rebuilt {
  /** Log rows read. */
  readonly logRows: number;
  /** Rows folded, by table. */
  readonly rows: Readonly<Record<string, number>>;
}

/**
 * Rebuilds projections from the event log: deletes the folds and folds the log into them again, with the writers of a
 * batch. The caller opens and ends the transaction, at the isolation level `read committed`, so that rows committed
 * before the lock was granted are visible. Readers see the old rows until the commit; the writers of the validators
 * wait.
 *
 * `emitters`, `emitter_runs`, `closed_spans` and `dead_letter_spans` are not derived from the log and are not touched.
 *
 * @throws CategorizedError when the validator or the run is not in the log
 */
export async function rebuildFolds(client: ClientBase, request: FoldRequest): Promise<Rebuilt> {
  const rows: Record<string, number> = {};
  let logRows = 0;
  for (const scope of await lockScopes(client, request)) {
    logRows += await refold(client, scope);
    await unmarkOutdated(client, scope);
    for (const [table, count] of await countFolds(client, scope)) rows[table] = (rows[table] ?? 0) + count;
  }
  return { logRows, rows };
}

/** Rebuilds one scope and returns the number of log rows read; the caller holds the locks. */
export async function refold(client: ClientBase, scope: RebuildScope): Promise<number> {
  await emptyFolds(client, scope, [...RUN_FOLDS, MINER_FOLD]);
  await restoreArchivedFolds(client, scope);
  await applyForecasts(client, scope, scope.runId === null ? null : scope.minersOfRun);
  let logRows = 0;
  for await (const facts of readFacts(client, scope)) {
    await foldFacts(client, scope, facts);
    logRows += facts.length;
  }
  await rankAll(client, scope);
  return logRows;
}

/** Rebuilds the rows of one run and leaves `miner_stats` as it is; the caller holds the locks. */
export async function refoldRun(client: ClientBase, scope: RebuildScope): Promise<void> {
  await emptyFolds(client, scope, RUN_FOLDS);
  for await (const facts of readFacts(client, { ...scope, minersOfRun: [] }))
    await foldFactsOfRuns(client, scope, facts);
  await rankAllRuns(client, scope);
}

async function emptyFolds(
  client: ClientBase,
  scope: RebuildScope,
  folds: readonly FoldTable[],
): Promise<void> {
  for (const { table, where, values } of folds) {
    await client.query(`delete from ${table} where ${where}`, [...values(scope)]);
  }
}

/** What was rebuilt has the meaning of this version; see the table `outdated_projections`. */
async function unmarkOutdated(client: ClientBase, { validatorId, runId }: RebuildScope): Promise<void> {
  await client.query(
    'delete from outdated_projections where validator_id = $1 and ($2::bigint is null or run_id = $2)',
    [validatorId, runId],
  );
}

async function restoreArchivedFolds(client: ClientBase, scope: RebuildScope): Promise<void> {
  const archivedFolds = await readArchivedFolds(client, scope);
  const minerChanges = [...archivedFolds]
    .filter(([minerHotkey]) => scope.runId === null || scope.minersOfRun.includes(minerHotkey))
    .map(([minerHotkey, fold]) => ({ ...ownerOf(scope, minerHotkey), kind: 'archived' as const, fold }));
  await foldMiners(client, minerChanges, []);
}

/** The row of `miner_stats` that changes of a miner go to. */
export const ownerOf = ({ validatorId, validatorHotkey }: ValidatorIdentity, minerHotkey: string) => ({
  validatorId,
  minerHotkey,
  fact: { validatorHotkey },
});

interface KeptForecast {
  readonly hotkey: string;
  readonly runId: number;
  readonly fold: ForecastFold;
  readonly runFold: RunFold | null;
}

/**
 * Adds the forecasts that are in the table to these miners, or to all. In a rebuild they are those of other runs and of
 * archived runs.
 */
export async function applyForecasts(
  client: ClientBase,
  scope: ValidatorIdentity,
  miners: readonly string[] | null,
): Promise<void> {
  const portions = readByCursor<KeptForecast>(client, {
    name: 'kept_forecasts',
    text: `select forecast.miner_hotkey as hotkey, forecast.run_id::float8 as "runId", forecast.fold, run.fold as "runFold"
      from weather_forecast_stats as forecast
      left join weather_forecast_runs as run on (run.validator_id, run.id) = (forecast.validator_id, forecast.run_id)
      where forecast.validator_id = $1 and ($2::text[] is null or forecast.miner_hotkey = any ($2))`,
    values: [scope.validatorId, miners],
    size: 500,
  });
  for await (const forecasts of portions) {
    const changes = forecasts.map(({ hotkey, runId, fold, runFold }) => ({
      item: { ...ownerOf(scope, hotkey), fact: { validatorHotkey: scope.validatorHotkey, runId } },
      before: null,
      after: toForecastRow(fold, runFold === null ? noEffect : toRunEffect(runFold)),
    }));
    await foldMiners(client, [], changes);
  }
}

async function foldFacts(
  client: ClientBase,
  scope: RebuildScope,
  facts: readonly RecordedFact[],
): Promise<void> {
  const changes = await foldFactsOfRuns(client, scope, facts);
  const minerChanges = ofMiners(facts).map((item) => factChange(item, item.fact.phase === 'ended' ? 1 : 0));
  await foldMiners(client, minerChanges, changes);
}

async function foldFactsOfRuns(
  client: ClientBase,
  scope: RebuildScope,
  facts: readonly RecordedFact[],
): Promise<readonly ForecastChange[]> {
  const ofRuns = facts.filter(({ fact }) => isRefolded(scope, fact.runId));
  const ofMinersInRuns = ofMiners(ofRuns);
  const { runs } = await writeRuns(client, ofRuns);
  await writeResponses(client, ofMinersInRuns, runs);
  const { changes } = await writeForecasts(client, ofMinersInRuns, runs);
  await writeJobLogs(
    client,
    ofRuns.filter(({ fact }) => fact.phase === 'ended'),
  );
  return changes;
}

/** Ranks once per run and once per validator, after the last score: ranks before it would be overwritten. */
async function rankAll(client: ClientBase, scope: RebuildScope): Promise<void> {
  await rankAllRuns(client, scope);
  await rankMiners(client, [scope.validatorId]);
}

async function rankAllRuns(client: ClientBase, scope: RebuildScope): Promise<void> {
  const { rows } = await client.query<{ id: number }>(
    `select distinct run_id::float8 as id from weather_forecast_stats
     where validator_id = $1 and ($2::bigint is null or run_id = $2) and run_id <> all ($3::bigint[])`,
    [scope.validatorId, scope.runId, scope.archivedRunIds],
  );
  await rankRuns(
    client,
    rows.map(({ id }) => ({ validatorId: scope.validatorId, runId: id })),
  );
}

async function countFolds(
  client: ClientBase,
  scope: RebuildScope,
): Promise<readonly (readonly [table: string, count: number])[]> {
  const counts: [string, number][] = [];
  for (const { table, where, values } of [...RUN_FOLDS, MINER_FOLD]) {
    const { rows } = await client.query<{ count: number }>(
      `select count(*)::float8 as count from ${table} where ${where}`,
      [...values(scope)],
    );
    counts.push([table, rows[0]?.count ?? 0]);
  }
  return counts;
}
