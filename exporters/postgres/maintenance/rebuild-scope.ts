import type { ClientBase } from 'pg';
import { CategorizedError } from '#semconv';
import { printableText, printableValue } from '#semconv/printable-text';
import { readArchivedRunIds } from '../retention/archived-folds.ts';
import type { LogSelection, ValidatorIdentity } from '../log/read-log.ts';

/** Selects folds by validator and run; null selects all. */
export interface FoldRequest {
  readonly validatorHotkey: string | null;
  readonly runId: number | null;
}

/** The folds of one validator or of one of its runs. */
export interface RebuildScope extends LogSelection {
  /** Runs whose log is incomplete, see `readArchivedRunIds`: their folds are not rebuilt. */
  readonly archivedRunIds: readonly number[];
}

/** A table that is derived from the log. */
export interface FoldTable {
  readonly table: string;
  readonly key: readonly string[];
  /** Condition on the rows that a rebuild replaces; `values` gives its parameters. */
  readonly where: string;
  readonly values: (scope: RebuildScope) => readonly unknown[];
}

const ofRuns = (table: string, runColumn: string, key: readonly string[]): FoldTable => ({
  table,
  key: ['validator_id', ...key],
  where: `validator_id = $1 and ($2::bigint is null or ${runColumn} = $2) and ${runColumn} <> all ($3::bigint[])`,
  values: ({ validatorId, runId, archivedRunIds }) => [validatorId, runId, archivedRunIds],
});

export const RUN_FOLDS: readonly FoldTable[] = [
  ofRuns('weather_forecast_runs', 'id', ['id']),
  ofRuns('weather_miner_responses', 'run_id', ['run_id', 'miner_hotkey']),
  ofRuns('weather_forecast_stats', 'run_id', ['run_id', 'miner_hotkey']),
  ofRuns('validator_job_logs', 'run_id', ['trace_id', 'span_id', 'decision_index']),
];

/** `miner_stats` aggregates over all runs, so the rebuild of one run replaces the whole rows of its miners. */
export const MINER_FOLD: FoldTable = {
  table: 'miner_stats',
  key: ['validator_id', 'miner_hotkey'],
  where: 'validator_id = $1 and ($2::text[] is null or miner_hotkey = any ($2))',
  values: ({ validatorId, runId, minersOfRun }) => [validatorId, runId === null ? null : minersOfRun],
};

export const isRefolded = ({ runId, archivedRunIds }: RebuildScope, factRun: number): boolean =>
  (runId === null || factRun === runId) && !archivedRunIds.includes(factRun);

/**
 * Locks the validators of the request against their writers, and returns the scopes to rebuild.
 *
 * @throws CategorizedError when the validator or the run is not in the log
 */
export async function lockScopes(client: ClientBase, request: FoldRequest): Promise<readonly RebuildScope[]> {
  const validators = await lockRecordedValidators(client, request);
  if (validators.length === 0) await throwNotFound(client, request);
  const scopes: RebuildScope[] = [];
  for (const validator of validators) {
    const { runId } = request;
    const minersOfRun = runId === null ? [] : await readMinersOfRun(client, validator, runId);
    const archivedRunIds = await readArchivedRunIds(client, validator);
    scopes.push({ ...validator, runId, minersOfRun, archivedRunIds });
  }
  return scopes;
}

/** Takes the row locks of the writers, in their lock order. */
async function lockRecordedValidators(
  client: ClientBase,
  { validatorHotkey, runId }: FoldRequest,
): Promise<readonly ValidatorIdentity[]> {
  const { rows } = await client.query<ValidatorIdentity>(
    `select id as "validatorId", hotkey as "validatorHotkey" from validators as validator
     where ($1::text is null or hotkey = $1) and ($2::bigint is null or exists (
       select from weather_forecast_steps as step where (step.validator_id, step.run_id) = (validator.id, $2)))
     order by id for no key update`,
    [validatorHotkey, runId],
  );
  return rows;
}

/** Miners of the log and of the projections: a row without any log entry has to be deleted. */
async function readMinersOfRun(
  client: ClientBase,
  { validatorId }: ValidatorIdentity,
  runId: number,
): Promise<readonly string[]> {
  const { rows } = await client.query<{ hotkey: string }>(
    ['weather_forecast_steps', 'weather_miner_responses', 'weather_forecast_stats']
      .map(
        (table) =>
          `select miner_hotkey as hotkey from ${table}
           where (validator_id, run_id) = ($1, $2) and miner_hotkey is not null`,
      )
      .join(' union '),
    [validatorId, runId],
  );
  return rows.map(({ hotkey }) => hotkey);
}

/**
 * @throws CategorizedError with what was requested and what exists. An empty log is an error only for a named validator
 *   or run
 */
async function throwNotFound(client: ClientBase, { validatorHotkey, runId }: FoldRequest): Promise<void> {
  if (validatorHotkey === null && runId === null) return;
  const { rows } = await client.query<{ hotkey: string; run: string | null }>(
    `select hotkey, run.id::text as run from validators
     left join lateral (select distinct run_id as id from weather_forecast_steps
       where validator_id = validators.id order by run_id desc limit 10) as run on true
     order by validators.id, run.id desc`,
  );
  const known = printableValue(rows).map(
    ({ hotkey, run }) => `${hotkey} ${run === null ? 'without runs' : `run ${run}`}`,
  );
  const asked = [
    ...(runId === null ? [] : [`run ${runId}`]),
    ...(validatorHotkey === null ? [] : [`validator ${printableText(validatorHotkey)}`]),
  ].join(' of ');
  const there = known.length === 0 ? 'The log is empty.' : `The newest that are: ${known.join(', ')}.`;
  throw new CategorizedError('not_found', `The log has nothing of ${asked}. ${there}`);
}
