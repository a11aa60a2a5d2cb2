import { beforeAll, describe, expect, it } from 'vitest';
import { queryRows, useTestDatabase, writeBatches } from '#test/exporters/postgres/support/database';
import { initTimeOf, instantIn, MINERS, RECORDED_RUNS } from '#test/support/recorded-runs';

const database = useTestDatabase();
beforeAll(async () => {
  await writeBatches(database.pool, [RECORDED_RUNS]);
});

const rows = (sql: string) => queryRows(database.pool, sql);

const at = (run: number, atMs: number): Date => new Date(instantIn(run, atMs));

describe('stuck_steps', () => {
  it('stuck steps of open runs are listed since their first attempt, and none of ended runs', async () => {
    expect(
      await rows(`select run_id, miner_hotkey, step_name, lead_hours, attempt, status, since, waits_until,
        retries_remaining, error_type from stuck_steps order by miner_hotkey`),
    ).toEqual([
      {
        run_id: 3,
        miner_hotkey: '5Fresh',
        step_name: 'query',
        lead_hours: null,
        attempt: 1,
        status: 'in_progress',
        since: at(3, 1000),
        waits_until: null,
        retries_remaining: 3,
        error_type: null,
      },
      {
        run_id: 3,
        miner_hotkey: '5Good',
        step_name: 'poll',
        lead_hours: null,
        attempt: 2,
        status: 'retry_scheduled',
        since: at(3, 361_000),
        waits_until: at(3, 961_000),
        retries_remaining: 18,
        error_type: null,
      },
      {
        run_id: 3,
        miner_hotkey: '5Lost',
        step_name: 'verify',
        lead_hours: null,
        attempt: 1,
        status: 'abandoned',
        since: at(3, 700_000),
        waits_until: null,
        retries_remaining: 3,
        error_type: 'process_crash',
      },
      {
        run_id: 3,
        miner_hotkey: '5Tampering',
        step_name: 'era5',
        lead_hours: 24,
        attempt: 1,
        status: 'waiting_for_truth',
        since: at(3, 900_000),
        waits_until: new Date('2026-11-29T06:00:00Z'),
        retries_remaining: 4,
        error_type: null,
      },
    ]);
  });
});

describe('scheduled_retries', () => {
  it('retries and waits for truth are distinguished, and a completed retry is not listed', async () => {
    expect(
      await rows(`select miner_hotkey, step_name, lead_hours, attempts_made, max_attempts, retries_remaining,
        next_retry_time, waits_for_truth from scheduled_retries order by next_retry_time`),
    ).toEqual([
      {
        miner_hotkey: '5Good',
        step_name: 'poll',
        lead_hours: null,
        attempts_made: 2,
        max_attempts: 20,
        retries_remaining: 18,
        next_retry_time: at(3, 961_000),
        waits_for_truth: false,
      },
      {
        miner_hotkey: '5Tampering',
        step_name: 'era5',
        lead_hours: 24,
        attempts_made: 1,
        max_attempts: 5,
        retries_remaining: 4,
        next_retry_time: new Date('2026-11-29T06:00:00Z'),
        waits_for_truth: true,
      },
    ]);
  });
});

describe('missing_scores', () => {
  it('the only missing lead of a completed forecast is listed with its missing truth', async () => {
    expect(
      await rows(`select run_id, score_type, lead_hours, status, error_type, reason, fault, retries_remaining
        from missing_scores where miner_hotkey = '5Good' and run_id <= 2`),
    ).toEqual([
      {
        run_id: 2,
        score_type: 'era5',
        lead_hours: 48,
        status: 'failed',
        error_type: 'truth_missing',
        reason: 'ERA5 has no 2026-11-23T00Z',
        fault: 'upstream',
        retries_remaining: 0,
      },
    ]);
  });

  it('every score that a failed forecast never reached has the error that ended it', async () => {
    expect(
      await rows(`select score_type, count(*) as scores, min(lead_hours) as first, max(lead_hours) as last, status,
        error_type, reason, fault from missing_scores where miner_hotkey = '5Tampering' and run_id = 1
        group by score_type, status, error_type, reason, fault order by score_type`),
    ).toEqual(
      [
        { score_type: 'day1', scores: 1, first: null, last: null },
        { score_type: 'era5', scores: 10, first: 24, last: 240 },
      ].map((score) => ({
        ...score,
        status: 'failed',
        error_type: 'verification_hash_changed',
        reason: 'the manifest is not the one that was frozen',
        fault: 'miner',
      })),
    );
  });

  it('a forecast in flight has its stage and a lead that waits for truth its due time', async () => {
    expect(
      await rows(`select distinct reason, status, fault from missing_scores where miner_hotkey = '5Fresh'`),
    ).toEqual([
      {
        reason: 'not scored yet: the forecast is in stage inference_requested',
        status: 'seeded',
        fault: null,
      },
    ]);
    expect(
      await rows(`select status, next_retry_time from missing_scores
        where miner_hotkey = '5Tampering' and run_id = 3 and lead_hours = 24`),
    ).toEqual([{ status: 'waiting_for_truth', next_retry_time: new Date('2026-11-29T06:00:00Z') }]);
  });
});

describe('step_faults', () => {
  it('each failure has its fault once: a time-out at the call and not at its enclosing step', async () => {
    expect(
      await rows(`select run_id, miner_hotkey, fault, error_type, step_name, failures, first_at = last_at as once
        from step_faults order by run_id, miner_hotkey, step_name`),
    ).toEqual(
      [
        [1, '5Gone', 'miner', 'connection', 'communication'],
        [1, '5Good', 'miner', 'timeout', 'communication'],
        [1, '5Tampering', 'miner', 'verification_hash_changed', 'verify'],
        [2, '5Good', 'miner', 'timeout', 'communication'],
        [2, '5Good', 'upstream', 'truth_missing', 'era5'],
        [2, '5Tampering', 'miner', 'rejected_identity', 'query'],
        [3, '5Good', 'miner', 'timeout', 'communication'],
        [3, '5Lost', 'validator', 'process_crash', 'verify'],
      ].map(([run_id, miner_hotkey, fault, error_type, step_name]) => ({
        run_id,
        miner_hotkey,
        fault,
        error_type,
        step_name,
        failures: 1,
        once: true,
      })),
    );
  });
});

describe('repeated_scores', () => {
  it('a lead scored twice is listed with both spans, newest last', async () => {
    const spans = RECORDED_RUNS.filter(
      ({ attributes }) => attributes['weather.run.id'] === 2 && attributes['weather.lead_hours'] === 72,
    );
    expect(
      await rows(
        'select run_id, miner_hotkey, score_type, lead_hours, times_scored, span_ids from repeated_scores',
      ),
    ).toEqual([
      {
        run_id: 2,
        miner_hotkey: '5Good',
        score_type: 'era5',
        lead_hours: 72,
        times_scored: 2,
        span_ids: spans.map(({ spanId }) => spanId),
      },
    ]);
  });
});

describe('run_completeness', () => {
  it('every delivered span is accounted for', async () => {
    const found = await rows(`select run_id, started, recorded, in_flight, abandoned, truncated, emitters
      from run_completeness order by run_id`);
    const handedOver = [1, 2, 3, 4].map(
      (run) => RECORDED_RUNS.filter(({ attributes }) => attributes['weather.run.id'] === run).length,
    );
    const whole = { in_flight: 0, abandoned: 0, truncated: 0, emitters: 1 };
    const troubled = { in_flight: 1, abandoned: 1, truncated: 1, emitters: 2 };
    expect(found).toEqual(
      handedOver.map((started, index) => {
        const ofRun = index === 2 ? troubled : whole;
        return { run_id: index + 1, started, recorded: started - ofRun.in_flight, ...ofRun };
      }),
    );
  });
});

describe('run_progress', () => {
  it('each run has its progress and its next event', async () => {
    const found =
      await rows(`select run_id, gfs_init_time_utc, status, miners, completed, failed, in_flight, waiting,
      next_event, leads_scored, leads_expected, completion_time is not null as is_over, error_message
      from run_progress order by run_id`);
    const ofRun = (run: number) => ({ run_id: run, gfs_init_time_utc: new Date(initTimeOf(run)) });
    expect(found).toEqual([
      {
        ...ofRun(1),
        status: 'completed',
        miners: 3,
        completed: 1,
        failed: 2,
        in_flight: 0,
        waiting: 0,
        next_event: null,
        leads_scored: 10,
        leads_expected: 30,
        is_over: true,
        error_message: null,
      },
      {
        ...ofRun(2),
        status: 'completed',
        miners: 2,
        completed: 1,
        failed: 1,
        in_flight: 0,
        waiting: 0,
        next_event: null,
        leads_scored: 9,
        leads_expected: 20,
        is_over: true,
        error_message: null,
      },
      {
        ...ofRun(3),
        status: 'gfs_ready',
        miners: 4,
        completed: 0,
        failed: 0,
        in_flight: 4,
        waiting: 2,
        next_event: at(3, 961_000),
        leads_scored: 0,
        leads_expected: 40,
        is_over: false,
        error_message: null,
      },
      {
        ...ofRun(4),
        status: 'failed',
        miners: 0,
        completed: 0,
        failed: 0,
        in_flight: 0,
        waiting: 0,
        next_event: null,
        leads_scored: 0,
        leads_expected: 0,
        is_over: true,
        error_message: 'no miners found',
      },
    ]);
  });
});

describe('miner_leaderboard', () => {
  it('miners of a run are ordered by score, and those without a score come last, without a rank', async () => {
    const found = await rows(`select run_id, miner_rank, miner_hotkey, forecast_status, last_error_message,
      round(overall_forecast_score::numeric, 9)::float8 as overall,
      round(era5_combined_score::numeric, 9)::float8 as combined, forecast_score_initial as day1, era5_completeness
      from miner_leaderboard where run_id <= 2`);
    expect(found).toEqual([
      {
        run_id: 1,
        miner_rank: 1,
        miner_hotkey: '5Good',
        forecast_status: 'completed',
        last_error_message: null,
        overall: 0.81,
        combined: 0.8,
        day1: 0.6,
        era5_completeness: 1,
      },
      unscored(1, '5Tampering', 'the manifest is not the one that was frozen'),
      unscored(1, '5Gone', 'the connection was refused'),
      {
        run_id: 2,
        miner_rank: 1,
        miner_hotkey: '5Good',
        forecast_status: 'completed',
        last_error_message: 'ERA5 has no 2026-11-23T00Z',
        overall: 0.4775,
        combined: 0.45,
        day1: 0.6,
        era5_completeness: 0.9,
      },
      unscored(2, '5Tampering', 'the signature is not of this hotkey'),
    ]);
  });
});

const unscored = (run: number, hotkey: string, error: string) => ({
  run_id: run,
  miner_rank: null,
  miner_hotkey: hotkey,
  forecast_status: 'failed',
  last_error_message: error,
  overall: null,
  combined: null,
  day1: null,
  era5_completeness: 0,
});

describe('forecast_timeline', () => {
  it('the attempts of a forecast are listed in the order of time, with their errors', async () => {
    const found =
      await rows(`select step_name, substep, attempt, status, latency_ms, error_type, error_message,
      next_retry_time from forecast_timeline where run_id = 3 and miner_hotkey = '5Good'`);
    const timeout = { error_type: 'timeout', error_message: 'no answer within 30 s' };
    const fine = { error_type: null, error_message: null };
    const once = { attempt: 1, next_retry_time: null };
    expect(found).toEqual([
      { step_name: 'seed', substep: 'seed_miner', status: 'succeeded', latency_ms: 100, ...once, ...fine },
      {
        step_name: 'query',
        substep: 'initiate_fetch',
        attempt: 1,
        status: 'retry_scheduled',
        latency_ms: 100,
        ...timeout,
        next_retry_time: at(3, 61_000),
      },
      {
        step_name: 'communication',
        substep: 'initiate_fetch',
        status: 'failed',
        latency_ms: 40,
        ...once,
        ...timeout,
      },
      {
        step_name: 'query',
        substep: 'initiate_fetch',
        attempt: 2,
        status: 'succeeded',
        latency_ms: 100,
        ...fine,
        next_retry_time: null,
      },
      {
        step_name: 'communication',
        substep: 'initiate_fetch',
        status: 'succeeded',
        latency_ms: 40,
        ...once,
        ...fine,
      },
      ...[1, 2].map((attempt) => ({
        step_name: 'poll',
        substep: `attempt_${attempt}`,
        attempt,
        status: 'retry_scheduled',
        latency_ms: 100,
        ...fine,
        next_retry_time: at(3, 61_000 + (attempt + 1) * 300_000),
      })),
    ]);
  });
});

describe('current_miner_stats', () => {
  it('a UID shows the miner that holds it now, not the previous one', async () => {
    expect(
      await rows(
        'select miner_uid, miner_hotkey, successful_forecasts, failed_forecasts from current_miner_stats',
      ),
    ).toEqual([
      { miner_uid: 7, miner_hotkey: '5Good', successful_forecasts: 2, failed_forecasts: 0 },
      { miner_uid: 8, miner_hotkey: '5Tampering', successful_forecasts: 0, failed_forecasts: 2 },
      { miner_uid: 9, miner_hotkey: MINERS.fresh.hotkey, successful_forecasts: 0, failed_forecasts: 0 },
      { miner_uid: 10, miner_hotkey: '5Lost', successful_forecasts: 0, failed_forecasts: 0 },
    ]);
    expect(
      await rows(
        `select miner_hotkey, failed_forecasts, common_errors from miner_stats where miner_hotkey = '5Gone'`,
      ),
      'the earlier holder keeps its own',
    ).toEqual([{ miner_hotkey: '5Gone', failed_forecasts: 1, common_errors: { connection: 1 } }]);
  });
});
