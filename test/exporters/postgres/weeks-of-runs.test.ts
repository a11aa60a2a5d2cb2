import { beforeAll, describe, expect, it } from 'vitest';
import { TOO_MANY } from '#dashboards/rules/thresholds';
import { inTransaction } from '#database/transaction';
import { createPostgresExporter, type ForecastSpanExporter } from '#postgres/exporter';
import { reconcileFolds } from '#postgres/maintenance/reconcile';
import { readPipelineState } from '#postgres/queries/read-pipeline-state';
import { maintainPartitions } from '#postgres/retention/retention';
import { queryRows, useTestDatabase } from '#test/exporters/postgres/support/database';
import { DAY, HOUR, MINERS, RUNS } from './support/weeks-plan.ts';
import { spansOfRun } from './support/weeks-spans.ts';
import { begunRuns, expectedForecast, expectedMiner, openRuns } from './support/weeks-model.ts';
import { missingScoresOf, progressOf, retriesByStep, retriesOf, truthWaitOf } from './support/weeks-views.ts';

const RETENTION = { weather_forecast_steps: 7, weather_forecast_component_scores: 7 };
const WEEK = 7 * DAY;
/** Each run is begun, and one of each kind waits for a retry. */
const EVENING = 18 * HOUR + 20 * 60_000;

const database = useTestDatabase();
const rowsOf = (sql: string) => queryRows(database.pool, sql);
const spans = RUNS.flatMap(spansOfRun).sort((a, b) => a.at - b.at);
const forecasts = (at: number) =>
  begunRuns(at).flatMap((run) =>
    MINERS.map((miner) => ({ run, miner, expected: expectedForecast(run, miner, at) })),
  );

/** The days of the plan, without those between the runs of one season and the next. */
const LAST_DAY = Math.floor((spans.at(-1)?.at ?? 0) / DAY) * DAY;
const DAYS: number[] = [];
for (let day = RUNS[0]?.t0 ?? 0; day <= LAST_DAY; day += DAY)
  if (spans.some(({ at }) => at >= day && at < day + DAY)) DAYS.push(day);

let clock = 0;
let exporter: ForecastSpanExporter;
beforeAll(() => {
  exporter = createPostgresExporter({ pool: database.pool, now: () => clock });
});

/** Records what happened until this instant. */
async function recordUntil(at: number): Promise<void> {
  const batch = spans.filter((planned) => planned.at > clock && planned.at <= at).map(({ span }) => span);
  clock = at;
  expect(await exporter.exportObserved(batch)).toEqual({ kind: 'written' });
}

async function checkTables(at: number): Promise<void> {
  expect(
    await rowsOf(`select run_id::int as run, miner_uid as miner, forecast_status as status,
      current_forecast_stage || ' ' || current_forecast_status as position, last_error_type || ' ' || last_error_fault as error,
      extract(epoch from next_scheduled_retry)::float8 * 1000 as next,
      extract(epoch from completed_at)::float8 * 1000 as "completedAt", era5_scored_leads as "scoredLeads"
      from weather_forecast_stats order by 1, 2`),
  ).toEqual(
    forecasts(at).map(({ run, miner, expected }) => ({ run: run.id, miner: miner.uid, ...expected })),
  );
  expect(
    await rowsOf(`select miner_uid as miner, successful_forecasts::int as successful, failed_forecasts::int as failed,
      excused_forecasts::int as excused, consecutive_successes::int as successes, consecutive_failures::int as failures
      from miner_stats order by 1`),
  ).toEqual(MINERS.map((miner) => ({ miner: miner.uid, ...expectedMiner(miner, at) })));
}

/** What operators see: the progress of each run, what waits, and nothing that contradicts itself. */
async function checkViews(at: number): Promise<void> {
  expect(
    await rowsOf(`select run_id::int as run, status, completed::int, failed::int, in_flight::int as "inFlight",
      waiting::int, leads_scored::int as scored, extract(epoch from next_event)::float8 * 1000 as next
      from run_progress order by 1`),
  ).toEqual(begunRuns(at).map((run) => progressOf(run, at)));
  const retries = openRuns(at).flatMap((run) => retriesOf(run, at));
  expect(
    await rowsOf(`select run_id::int as run, step_name as step, count(*)::int as steps, waits_for_truth as "isWait"
      from scheduled_retries group by 1, 2, 4 order by 1, 2`),
  ).toEqual(retries);
  expect(
    await rowsOf(`select run_id::int as run, step_name as step, count(*)::int as steps, status = 'waiting_for_truth' as "isWait"
      from stuck_steps group by 1, 2, 4 order by 1, 2`),
  ).toEqual(retries);
  expect(await rowsOf('select * from inconsistent_rows')).toEqual([]);
}

/** Why scores are missing, by forecast, also of runs whose steps retention has dropped; a lead that waits has no reason yet. */
async function checkMissingScores(at: number): Promise<void> {
  const found = await rowsOf(`select run_id::int as run, miner_uid as miner, count(*)::int as missing,
      count(*) filter (where status = 'waiting_for_truth')::int as waiting,
      array_agg(distinct error_type || ' ' || fault) filter (where status <> 'waiting_for_truth') as reasons
    from missing_scores group by 1, 2 order by 1, 2`);
  expect(found).toEqual(begunRuns(at).flatMap((run) => missingScoresOf(run, at)));
}

/** What the alerts are computed from. */
async function checkState(at: number): Promise<void> {
  const state = await readPipelineState(database.pool, { now: () => at });
  // The model has no day one that waits for GFS.
  const waits = state.openRuns.map(({ runId, truthWaits: { era5 } }) => ({
    run: runId,
    leads: era5.leads,
    due: era5.oldestDue,
  }));
  expect(waits).toEqual(openRuns(at).map((run) => truthWaitOf(run, at)));
  expect(state.retries).toEqual(retriesByStep(at));
  expect([state.deadLetters, state.missingRecords, state.stepsInProgress]).toEqual([{}, 0, {}]);
}

/** Partitions of the steps that are older than the retention are gone, unless an open run has steps in them. */
async function checkRetention(at: number): Promise<readonly string[]> {
  const { held, postponed } = await maintainPartitions(database.pool, {
    now: new Date(at),
    retention: RETENTION,
  });
  const open = openRuns(at).map(({ id }) => id);
  const weeks = new Map<number, readonly number[]>();
  for (const span of spans.filter((planned) => planned.at <= at)) {
    const week = Math.floor(span.at / WEEK);
    weeks.set(week, [...new Set([...(weeks.get(week) ?? []), span.runId])]);
  }
  const isExpired = (week: number): boolean => (week + 2) * WEEK <= at;
  const isHeld = (runs: readonly number[]): boolean => runs.some((run) => open.includes(run));
  const now = Math.floor(at / WEEK);
  const kept = [...weeks].filter(([week, runs]) => !isExpired(week) || isHeld(runs)).map(([week]) => week);
  const expected = [...new Set([...kept, now, now + 1])].sort((a, b) => a - b).map(partitionOf);
  expect(await readPartitionNames()).toEqual(expected);
  expect(postponed).toEqual([]);
  const heldWeeks = [...weeks]
    .filter(([week, runs]) => isExpired(week) && isHeld(runs))
    .map(([week]) => partitionOf(week));
  expect(held.map(({ name }) => name).filter((name) => name.includes('steps'))).toEqual(heldWeeks);
  return heldWeeks;
}

async function readPartitionNames(): Promise<readonly unknown[]> {
  const rows = await rowsOf(`select relname as name from pg_inherits join pg_class on pg_class.oid = inhrelid
    where inhparent = 'weather_forecast_steps_finished'::regclass order by 1`);
  return rows.map(({ name }) => name);
}

const partitionOf = (week: number): string =>
  `weather_forecast_steps_finished_${new Date(week * WEEK).toISOString().slice(0, 10).replaceAll('-', '')}`;

async function differencesFromLog(): Promise<readonly unknown[]> {
  const request = { validatorHotkey: null, runId: null };
  const reconcile = inTransaction(database.pool, (client) => reconcileFolds(client, request), {
    end: 'rollback',
  });
  return (await reconcile).differences;
}

describe('weeks of daily runs that overlap, under a retention of a week', () => {
  it('tables, views, state and partitions say on each day what the plan says, over New Year and the leap day', async () => {
    let mostOpen = 0;
    const held = new Set<string>();
    for (const day of DAYS) {
      const evening = day + EVENING;
      await recordUntil(evening);
      await checkTables(evening);
      await checkViews(evening);
      await checkState(evening);
      const midnight = day + DAY;
      await recordUntil(midnight);
      await checkTables(midnight);
      await checkViews(midnight);
      await checkMissingScores(midnight);
      await checkState(midnight);
      for (const name of await checkRetention(midnight)) held.add(name);
      expect(await differencesFromLog()).toEqual([]);
      mostOpen = Math.max(mostOpen, openRuns(midnight).length);
    }
    expect(DAYS.map((day) => new Date(day).toISOString().slice(0, 10))).toEqual(
      expect.arrayContaining(['2023-12-31', '2024-01-01', '2024-02-29']),
    );
    expect(mostOpen).toBeGreaterThanOrEqual(16);
    expect(held.size).toBeGreaterThan(1);
  }, 120_000);

  it('three days without GFS and an abandoned run bring no miner nearer to an alert that it fails', async () => {
    const failing = await rowsOf(`select miner_uid::int as miner, excused_forecasts::int as excused,
      consecutive_failures::int >= ${TOO_MANY.minerFailures} as "isFailing" from miner_stats order by 1`);
    expect(failing).toEqual(
      MINERS.map(({ uid, kind }) => {
        const failsEarly = kind === 'offline' || kind === 'tampering';
        return { miner: uid, excused: failsEarly ? 3 : 4, isFailing: failsEarly };
      }),
    );
  });
});
