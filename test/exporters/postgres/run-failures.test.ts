import { beforeEach, describe, expect, it } from 'vitest';
import { createPostgresExporter } from '#postgres/exporter';
import type { ObservedSpan } from '#facts/observed-span';
import { queryRows, useTestDatabase, writeBatches } from '#test/exporters/postgres/support/database';
import { interceptPool } from '#test/support/intercepted-pool';
import { endedSpan, startOfSpan, T, type SpanOptions } from '#test/support/spans';
import { emptyTables } from '#test/support/tables';

const database = useTestDatabase();
beforeEach(() => emptyTables(database.pool));

const instant = (ms: number): string => new Date(Number(T / 1_000_000n) + ms).toISOString();
const record = (...spans: readonly ObservedSpan[]) => writeBatches(database.pool, [spans]);
const minerOf = (uid: number) => ({ uid, hotkey: `5Miner${uid}` });

const seeded = (uid: number, at = 0): ObservedSpan =>
  endedSpan({
    step: 'seed',
    miner: minerOf(uid),
    at,
    attributes: {
      'weather.stage': 'init',
      'weather.stage.status': 'initialized',
      'weather.forecast.status': 'seeded',
    },
  });
const fetch = (options: Partial<SpanOptions> = {}): ObservedSpan =>
  endedSpan({ step: 'seed', substep: 'gfs_download', miner: null, maxAttempts: 6, ...options });
const noGfs = (attempt: number, at: number, retryAt: number | null): ObservedSpan =>
  fetch({
    attempt,
    at,
    status: retryAt === null ? 'failed' : 'retry_scheduled',
    error: { type: 'truth_not_ready', message: 'The analysis store does not have it yet.' },
    attributes: retryAt === null ? {} : { 'weather.retry.next_time': instant(retryAt) },
  });
const runEnds = (status: string, at: number, error?: { readonly type: string; readonly message: string }) =>
  endedSpan({
    step: 'orchestration',
    miner: null,
    at,
    attributes: {
      'weather.run.status': status,
      ...(error && { 'weather.run.error_type': error.type, 'weather.run.error_message': error.message }),
    },
  });

const forecasts = (columns: string) =>
  queryRows(database.pool, `select ${columns} from weather_forecast_stats order by miner_uid`);

const POSITION = `current_forecast_stage || ' ' || current_forecast_status as position`;

describe('a run whose GFS is missing', () => {
  it('every forecast in init shows the failure, its retries and the next one, also one that is seeded later', async () => {
    await record(seeded(1), seeded(2), noGfs(1, 1000, 60_000));
    await record(seeded(3, 2000));
    const shown = {
      forecast_status: 'seeded',
      position: 'gfs_fetch waiting_retry',
      last_error_message: 'The analysis store does not have it yet.',
      last_error_type: 'truth_not_ready',
      last_error_fault: 'upstream',
      retries_remaining: 5,
      next_scheduled_retry: new Date(instant(60_000)),
      completed_at: null,
    };
    expect(
      await forecasts(
        `forecast_status, ${POSITION}, last_error_message, last_error_type, last_error_fault, retries_remaining,
         next_scheduled_retry, completed_at`,
      ),
    ).toEqual([shown, shown, shown]);
  });

  it('a running attempt shows, and its success clears the error', async () => {
    await record(seeded(1), noGfs(1, 1000, 60_000));
    await record(startOfSpan(fetch({ attempt: 2, at: 60_000 })));
    const columns = `${POSITION}, last_error_type, next_scheduled_retry`;
    expect(await forecasts(columns)).toEqual([
      { position: 'gfs_fetch in_progress', last_error_type: 'truth_not_ready', next_scheduled_retry: null },
    ]);
    await record(fetch({ attempt: 2, at: 60_000 }));
    expect(await forecasts(columns)).toEqual([
      { position: 'gfs_fetch completed', last_error_type: null, next_scheduled_retry: null },
    ]);
  });

  it('a forecast that has gone further is not pulled back, and keeps its own error', async () => {
    const query = endedSpan({
      step: 'query',
      miner: minerOf(1),
      at: 500,
      maxAttempts: 4,
      status: 'retry_scheduled',
      error: { type: 'timeout', message: 'no answer within 30 s' },
      attributes: { 'weather.retry.next_time': instant(30_000) },
    });
    await record(seeded(1), seeded(2), query);
    await record(noGfs(1, 1000, 60_000));
    expect(await forecasts(`${POSITION}, last_error_message, retries_remaining`)).toEqual([
      {
        position: 'inference_requested waiting_retry',
        last_error_message: 'no answer within 30 s',
        retries_remaining: 3,
      },
      {
        position: 'gfs_fetch waiting_retry',
        last_error_message: 'The analysis store does not have it yet.',
        retries_remaining: 5,
      },
    ]);
  });

  it('the forecasts end with the run, and none of them counts for its miner', async () => {
    const reason = 'GFS could not be read (truth_not_ready): The analysis store does not have it yet.';
    await record(seeded(1), seeded(2), noGfs(6, 1000, null));
    await record(runEnds('failed', 2000, { type: 'truth_not_ready', message: reason }));
    const ended = {
      forecast_status: 'failed',
      position: 'gfs_fetch failed',
      last_error_message: reason,
      last_error_fault: 'upstream',
      retries_remaining: 0,
      next_scheduled_retry: null,
      completed_at: new Date(instant(2100)),
      miner_rank: null,
    };
    expect(
      await forecasts(
        `forecast_status, ${POSITION}, last_error_message, last_error_fault, retries_remaining, next_scheduled_retry,
         completed_at, miner_rank`,
      ),
    ).toEqual([ended, ended]);
    const counts = { failed_forecasts: '0', excused_forecasts: '1', consecutive_failures: '0' };
    expect(
      await queryRows(
        database.pool,
        `select failed_forecasts::text, excused_forecasts::text, consecutive_failures::text from miner_stats`,
      ),
    ).toEqual([counts, counts]);
  });

  it('a retry of the fetch is one update for all forecasts, not one write for each', async () => {
    await record(...Array.from({ length: 256 }, (_, uid) => seeded(uid)));
    const statements: string[] = [];
    const pool = interceptPool(database.pool, (text, run) => {
      statements.push(text);
      return run();
    });
    expect(await createPostgresExporter({ pool }).exportObserved([noGfs(1, 1000, 60_000)])).toEqual({
      kind: 'written',
    });
    const writes = statements.filter((text) =>
      /(insert into|update) (weather_forecast_stats|miner_stats)/.test(text),
    );
    expect(writes.map((text) => text.slice(0, 29))).toEqual(['update weather_forecast_stats']);
    expect(
      await queryRows(
        database.pool,
        `select count(*)::int as waiting from weather_forecast_stats
      where current_forecast_status = 'waiting_retry'`,
      ),
    ).toEqual([{ waiting: 256 }]);
  });
});

describe('a run that is abandoned while leads wait for truth', () => {
  const waiting = (uid: number, lead: number): ObservedSpan =>
    endedSpan({
      step: 'era5',
      miner: minerOf(uid),
      lead,
      at: 1000 + lead,
      maxAttempts: 5,
      status: 'waiting_for_truth',
      attributes: {
        'weather.retry.next_time': instant(lead * 3_600_000),
        'weather.response.status': 'forecast_ready',
      },
    });

  it('its forecasts end with the reason of the run, their scores stay, and no retry is to come', async () => {
    const scored = endedSpan({
      step: 'era5',
      miner: minerOf(1),
      lead: 24,
      at: 1500,
      attributes: { 'weather.score.era5': 0.75 },
    });
    await record(seeded(1), scored, waiting(1, 48), waiting(1, 72));
    expect(await forecasts(`${POSITION}, next_scheduled_retry`)).toEqual([
      {
        position: 'era5_scoring_48h waiting_for_truth',
        next_scheduled_retry: new Date(instant(48 * 3_600_000)),
      },
    ]);
    await record(
      runEnds('stale_abandoned', 9000, {
        type: 'validator_internal',
        message: 'The user ended it before its time.',
      }),
    );
    expect(
      await forecasts(
        `forecast_status, ${POSITION}, last_error_message, last_error_fault, next_scheduled_retry, era5_score_24h,
         retries_remaining`,
      ),
    ).toEqual([
      {
        forecast_status: 'failed',
        position: 'era5_scoring_48h failed',
        last_error_message: 'The user ended it before its time.',
        last_error_fault: 'validator',
        next_scheduled_retry: null,
        era5_score_24h: 0.75,
        retries_remaining: 0,
      },
    ]);
    expect(
      await queryRows(
        database.pool,
        'select status, error_message, next_retry_time from weather_miner_responses',
      ),
    ).toEqual([
      { status: 'failed', error_message: 'The user ended it before its time.', next_retry_time: null },
    ]);
    expect(await queryRows(database.pool, 'select * from scheduled_retries')).toEqual([]);
    expect(await queryRows(database.pool, 'select * from stuck_steps')).toEqual([]);
  });

  it('a forecast that ended by itself keeps its own end', async () => {
    const completed = endedSpan({
      step: 'aggregate',
      miner: minerOf(1),
      at: 5000,
      attributes: { 'weather.forecast.status': 'completed' },
    });
    await record(seeded(1), completed, runEnds('stale_abandoned', 9000));
    expect(await forecasts(`forecast_status, ${POSITION}, last_error_message`)).toEqual([
      { forecast_status: 'completed', position: 'complete completed', last_error_message: null },
    ]);
  });
});

describe('where a forecast stands while all its leads wait', () => {
  it('the stage names the lead that is looked for next, with its retry, whatever the order of the spans', async () => {
    const leads = [240, 24, 168, 96].map((lead) => ({ lead, span: waitOf(lead) }));
    for (const order of [leads, [...leads].reverse(), [leads[2], leads[0], leads[3], leads[1]]]) {
      await emptyTables(database.pool);
      await writeBatches(
        database.pool,
        order.map((item) => (item === undefined ? [] : [item.span])),
      );
      expect(await forecasts(`${POSITION}, next_scheduled_retry`)).toEqual([
        {
          position: 'era5_scoring_24h waiting_for_truth',
          next_scheduled_retry: new Date(instant(24 * 60_000)),
        },
      ]);
    }
  });

  const waitOf = (lead: number): ObservedSpan =>
    endedSpan({
      step: 'era5',
      lead,
      at: 1000 - lead,
      maxAttempts: 5,
      status: 'waiting_for_truth',
      attributes: { 'weather.retry.next_time': instant(lead * 60_000) },
    });
});

describe('a step that another worker had committed', () => {
  it('its end hides neither the retry nor the stage that the other worker recorded', async () => {
    const retry = endedSpan({
      step: 'verify',
      attempt: 2,
      at: 1000,
      maxAttempts: 4,
      status: 'retry_scheduled',
      error: { type: 'connection', message: 'refused' },
      attributes: { 'weather.retry.next_time': instant(60_000) },
      instance: 'worker-1',
    });
    const superseded = endedSpan({
      step: 'verify',
      attempt: 2,
      at: 900,
      durationMs: 5000,
      maxAttempts: 4,
      attributes: { 'weather.step.superseded': true },
      instance: 'worker-2',
    });
    await record(retry, superseded);
    expect(
      await forecasts(`${POSITION}, last_error_message, retries_remaining, next_scheduled_retry`),
    ).toEqual([
      {
        position: 'verification waiting_retry',
        last_error_message: 'refused',
        retries_remaining: 2,
        next_scheduled_retry: new Date(instant(60_000)),
      },
    ]);
  });
});
