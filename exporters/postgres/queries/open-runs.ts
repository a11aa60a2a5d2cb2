import type { ClientBase } from 'pg';
import type { ForecastCount, OpenRun, UnfinishedRun } from '#facts/pipeline-state';
import type { EpochMicros } from '#facts/step-fact';
import { epochMicros } from '../sql/sql-values.ts';
import { runStatusOf, stageOf, stageStatusOf } from './parse-closed-sets.ts';

/** A run by its key in the tables. */
export type RunKey = Pick<OpenRun, 'validatorId' | 'runId'>;

export const runKeyText = ({ validatorId, runId }: RunKey): string => `${validatorId}/${runId}`;
/** Runs as two array parameters, for `unnest($1::int[], $2::bigint[])`. */
export const runParameters = (runs: readonly RunKey[]): [validatorIds: number[], runIds: number[]] => [
  runs.map(({ validatorId }) => validatorId),
  runs.map(({ runId }) => runId),
];

/** The part of an open run that its own row gives. */
export type RunLine = Pick<OpenRun, 'validatorId' | 'runId' | 'status' | 'statusSince' | 'initTime'>;

/**
 * The open runs.
 *
 * The time of entry into a status has no column; it comes from the fold of the row, as `completion_time` does: the end
 * of the first step that set the status. While only a running step has set it, the start of that step.
 */
const OPEN_RUNS = `
  select validator_id as "validatorId", id as "runId", status, ${epochMicros('gfs_init_time_utc')} as "initTime",
    coalesce(fold -> 'oldest' -> ('status:' || status) -> 'at' ->> 0,
      fold -> 'newest' -> 'status' -> 'at' ->> 0)::float8 as "statusSince"
  from weather_forecast_runs where completion_time is null
  order by validator_id, id`;

interface OpenRunRow extends RunKey {
  readonly status: string | null;
  readonly statusSince: EpochMicros | null;
  readonly initTime: EpochMicros | null;
}

export async function readOpenRuns(client: ClientBase): Promise<readonly RunLine[]> {
  const { rows } = await client.query<OpenRunRow>(OPEN_RUNS);
  return rows.map((row) => ({ ...row, status: runStatusOf(row.status) }));
}

/**
 * Top n per group: only the newest runs of each validator by their number, from the primary key, so that the cost does
 * not grow with the runs. With a run a day these are two months of them, more than any run lasts.
 */
const UNFINISHED_RUNS = `
  select distinct on (validator_id, status) validator_id as "validatorId", run.id as "runId", status,
    ${epochMicros('completion_time')} as "endedAt"
  from validators as validator cross join lateral (
    select validator_id, id, status, completion_time from weather_forecast_runs
    where validator_id = validator.id order by id desc limit 64) as run
  where completion_time is not null and status <> 'completed'
  order by validator_id, status, completion_time desc, run.id desc`;

/** Of each validator the newest run that ended in each status other than `completed`. */
export async function readUnfinishedRuns(client: ClientBase): Promise<readonly UnfinishedRun[]> {
  type Row = Omit<UnfinishedRun, 'status'> & { readonly status: string | null };
  const { rows } = await client.query<Row>(UNFINISHED_RUNS);
  return rows.flatMap((row) => {
    const status = runStatusOf(row.status);
    return status === null ? [] : [{ ...row, status }];
  });
}

/**
 * A forecast without a stage, of which only calls are recorded, counts as not begun, as in the view `missing_scores`.
 */
const FORECASTS = `
  select validator_id as "validatorId", run_id as "runId", coalesce(current_forecast_stage, 'init') as stage,
    coalesce(current_forecast_status, 'initialized') as status, count(*)::int as forecasts
  from unnest($1::int[], $2::bigint[]) as run (validator_id, run_id)
  join weather_forecast_stats using (validator_id, run_id)
  group by 1, 2, 3, 4
  order by 1, 2, 3, 4`;

interface ForecastRow extends RunKey {
  readonly stage: string;
  readonly status: string;
  readonly forecasts: number;
}

/** Number of forecasts of each run by stage and status. */
export async function readForecasts(
  client: ClientBase,
  runs: readonly RunKey[],
): Promise<ReadonlyMap<string, readonly ForecastCount[]>> {
  const { rows } = await client.query<ForecastRow>(FORECASTS, runParameters(runs));
  const counts = new Map<string, Map<string, ForecastCount>>();
  for (const row of rows) {
    const stage = stageOf(row.stage);
    const stageStatus = stageStatusOf(row.status);
    if (stage === null || stageStatus === null) continue;
    const ofRun = counts.get(runKeyText(row)) ?? new Map<string, ForecastCount>();
    const before = ofRun.get(`${stage}/${stageStatus}`)?.forecasts ?? 0;
    ofRun.set(`${stage}/${stageStatus}`, { stage, stageStatus, forecasts: before + row.forecasts });
    counts.set(runKeyText(row), ofRun);
  }
  return new Map([...counts].map(([run, ofRun]) => [run, [...ofRun.values()]]));
}
