import { describe, expect, it } from 'vitest';
import type { ObservedSpan } from '#facts/observed-span';
import { readExplanation } from '#reports/explanation';
import { useTestDatabase, writeBatches } from '#test/exporters/postgres/support/database';
import { endedSpan, MINER, type SpanOptions } from '#test/support/spans';

const NO_FIELD = { type: 'truth_not_ready', message: 'The analysis store does not have it yet.' } as const;
/** The views compare with the clock of the database. */
const NOT_DUE = new Date(Date.now() + 300 * 86_400_000).toISOString();
const LATER = '2026-11-29T06:00:00.000Z';

const database = useTestDatabase();

const record = (...spans: readonly ObservedSpan[]) => writeBatches(database.pool, [spans]);
const rowsOf = async (sql: string, run: number): Promise<readonly Record<string, unknown>[]> =>
  (await database.pool.query<Record<string, unknown>>(sql, [run])).rows;
const missingOf = (run: number) =>
  rowsOf(
    `select distinct score_type, status, error_type, fault, reason, next_retry_time, retries_remaining
     from missing_scores where run_id = $1 order by score_type`,
    run,
  );

const statusOf = (run: number, at: number, status: string, error?: string): ObservedSpan =>
  endedSpan({
    step: 'orchestration',
    miner: null,
    run,
    at,
    attributes: {
      'weather.run.status': status,
      ...(error === undefined ? {} : { 'weather.run.error_message': error }),
    },
  });
const seeded = (run: number): ObservedSpan =>
  endedSpan({ step: 'seed', run, at: 10, attributes: { 'weather.forecast.status': 'seeded' } });
const gfs = (run: number, options: Partial<SpanOptions>): ObservedSpan =>
  endedSpan({ step: 'seed', substep: 'gfs_download', miner: null, run, maxAttempts: 6, ...options });
const retry = {
  error: NO_FIELD,
  status: 'retry_scheduled',
  attributes: { 'weather.retry.next_time': LATER },
};

describe('views of a run without GFS', () => {
  it('every score waits for GFS, with the next retry, until it is read', async () => {
    await record(statusOf(1, 5, 'seeding'), seeded(1), gfs(1, { ...retry, attempt: 2, at: 100 }));
    const waiting = {
      status: 'seeded',
      error_type: 'truth_not_ready',
      fault: 'upstream',
      reason: `the run waits for GFS: ${NO_FIELD.message}`,
      next_retry_time: new Date(LATER),
      retries_remaining: 4,
    };
    expect(await missingOf(1)).toEqual(['day1', 'era5'].map((score_type) => ({ score_type, ...waiting })));
    const explanation = await readExplanation(database.pool, {
      validatorHotkey: '5Validator',
      runId: 1,
      miner: MINER.hotkey,
    });
    expect(explanation?.run).toEqual({
      status: 'seeding',
      error_message: null,
      is_over: false,
      gfs: {
        attempt: 2,
        max_attempts: 6,
        status: 'retry_scheduled',
        error_type: NO_FIELD.type,
        error_message: NO_FIELD.message,
        next_retry_time: LATER,
      },
    });
    await record(gfs(1, { attempt: 3, at: 300, attributes: { 'weather.run.status': 'gfs_ready' } }));
    expect(await missingOf(1)).toMatchObject(
      ['day1', 'era5'].map((score_type) => ({ score_type, fault: null, next_retry_time: null })),
    );
  });

  it('an abandoned run shows its end and its reason and waits for nothing', async () => {
    const error = 'GFS could not be read (truth_not_ready): The analysis store does not have it yet.';
    await record(
      statusOf(2, 5, 'seeding'),
      seeded(2),
      gfs(2, { error: NO_FIELD, attempt: 6, at: 100 }),
      statusOf(2, 400, 'failed', error),
    );
    const ended = {
      status: 'failed',
      error_type: 'truth_not_ready',
      fault: 'upstream',
      reason: `the run ended before the forecast did (failed): ${error}`,
      next_retry_time: null,
      retries_remaining: null,
    };
    expect(await missingOf(2)).toEqual(['day1', 'era5'].map((score_type) => ({ score_type, ...ended })));
  });
});

describe('views of a lead that waits for truth', () => {
  const wait = (run: number, dueTime: string): ObservedSpan =>
    endedSpan({
      step: 'era5',
      run,
      lead: 24,
      maxAttempts: 5,
      at: 500,
      status: 'waiting_for_truth',
      attributes: {
        'weather.retry.next_time': LATER,
        'weather.truth.due_time': dueTime,
        'weather.forecast.status': 'era5_scoring',
        'weather.step.context': '{"waiting":"the truth store does not have it yet"}',
      },
    });
  const failedDay1 = (run: number): ObservedSpan =>
    endedSpan({
      step: 'day1',
      run,
      lead: 12,
      maxAttempts: 4,
      at: 200,
      error: { type: 'data_coverage', message: 'too few values' },
    });
  const waiting = {
    score_type: 'era5',
    status: 'waiting_for_truth',
    error_type: null,
    reason: 'waits for truth: the truth store does not have it yet',
    next_retry_time: new Date(LATER),
    retries_remaining: 4,
  };

  it('the fault of a waiting lead is null before truth is due and upstream afterwards', async () => {
    const day1 = {
      score_type: 'day1',
      error_type: 'data_coverage',
      fault: 'miner',
      reason: 'too few values',
    };
    await record(statusOf(3, 5, 'awaiting_results'), failedDay1(3), wait(3, NOT_DUE));
    expect(await missingOf(3)).toMatchObject([day1, { ...waiting, fault: null }]);
    await record(statusOf(4, 5, 'awaiting_results'), failedDay1(4), wait(4, '2026-01-29T06:00:00Z'));
    expect(await missingOf(4)).toMatchObject([day1, { ...waiting, fault: 'upstream' }]);
  });

  it('a lead and its run stop waiting when the run is abandoned', async () => {
    const progressOf = () =>
      rowsOf('select in_flight, waiting, next_event from run_progress where run_id = $1', 5);
    await record(statusOf(5, 5, 'awaiting_results'), wait(5, LATER));
    expect(await progressOf()).toEqual([{ in_flight: 1, waiting: 1, next_event: new Date(LATER) }]);
    await record(statusOf(5, 900, 'stale_abandoned', 'The user ended it.'));
    expect(await progressOf()).toEqual([{ in_flight: 0, waiting: 0, next_event: null }]);
    expect((await missingOf(5)).at(-1)).toEqual({
      score_type: 'era5',
      status: 'stale_abandoned',
      error_type: 'unknown',
      fault: 'validator',
      reason: 'the run ended before the forecast did (stale_abandoned): The user ended it.',
      next_retry_time: null,
      retries_remaining: null,
    });
  });
});
