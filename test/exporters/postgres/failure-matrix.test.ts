import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ObservedSpan } from '#facts/observed-span';
import { ERROR_CATEGORIES, TERMINAL_RUN_STATUSES, type ErrorCategory, type FaultParty } from '#semconv';
import { queryRows, useTestDatabase, writeBatches } from '#test/exporters/postgres/support/database';
import { recordedRun } from '#test/support/recorded-run';
import { endedSpan, T, type SpanOptions } from '#test/support/spans';
import { emptyTables } from '#test/support/tables';

const database = useTestDatabase();

/** Who is at fault, written down once more: a new category has to be decided here as well. */
const FAULTS: Readonly<Record<ErrorCategory, FaultParty>> = {
  timeout: 'miner',
  connection: 'miner',
  handshake: 'miner',
  http_4xx: 'miner',
  http_5xx: 'miner',
  rejected_identity: 'miner',
  invalid_response: 'miner',
  not_found: 'miner',
  verification_manifest: 'miner',
  verification_signature: 'miner',
  verification_hash_changed: 'miner',
  verification_freeze_window: 'validator',
  verification_chunk: 'miner',
  data_missing_variable: 'miner',
  data_coverage: 'miner',
  data_extreme: 'miner',
  miner_inference: 'miner',
  rate_limited_upstream: 'upstream',
  truth_not_ready: 'upstream',
  truth_missing: 'upstream',
  out_of_memory: 'validator',
  lock_busy: 'validator',
  isolation_violation: 'validator',
  process_crash: 'validator',
  validator_internal: 'validator',
  unknown: 'validator',
};

/** Where a failure happens: in a step of the run as a whole, or of a miner. */
interface Place {
  readonly step: SpanOptions['step'];
  readonly isOfRun: boolean;
  /** The stage of the forecast meanwhile. */
  readonly stage: string;
  readonly span?: Partial<SpanOptions>;
}

const PLACES: Readonly<Record<string, Place>> = {
  'the fetch of GFS': { step: 'seed', isOfRun: true, stage: 'gfs_fetch', span: { substep: 'gfs_download' } },
  'the orchestration': { step: 'orchestration', isOfRun: true, stage: 'init' },
  'the seeding of the miner': { step: 'seed', isOfRun: false, stage: 'init' },
  'the query': { step: 'query', isOfRun: false, stage: 'inference_requested' },
  'a poll': { step: 'poll', isOfRun: false, stage: 'inference_running' },
  'the verification': { step: 'verify', isOfRun: false, stage: 'verification' },
  'day one': { step: 'day1', isOfRun: false, stage: 'day1_scoring', span: { lead: 12 } },
  'a lead of ERA5': { step: 'era5', isOfRun: false, stage: 'era5_scoring_48h', span: { lead: 48 } },
  'the aggregation': { step: 'aggregate', isOfRun: false, stage: 'complete' },
};

/** One failure: a run of its own, with a miner of its own. */
interface Failure extends Place {
  readonly run: number;
  readonly hotkey: string;
  readonly category: ErrorCategory;
  readonly message: string;
  readonly fault: FaultParty;
}

const FAILURES: readonly Failure[] = Object.entries(PLACES).flatMap(([name, place], placeIndex) =>
  ERROR_CATEGORIES.map((category, index) => ({
    ...place,
    run: placeIndex * 100 + index + 1,
    hotkey: `5In${placeIndex}x${category}`,
    category,
    message: `${category} in ${name}`,
    // A step of the run calls no miner: what fails there is a store.
    fault: place.isOfRun && FAULTS[category] === 'miner' ? 'upstream' : FAULTS[category],
  })),
);

const MAX_ATTEMPTS = 4;
const instant = (ms: number): string => new Date(Number(T / 1_000_000n) + ms).toISOString();
const minerOf = ({ hotkey }: Failure) => ({ uid: 7, hotkey });

const seeded = (failure: Failure): ObservedSpan =>
  endedSpan({
    step: 'seed',
    run: failure.run,
    miner: minerOf(failure),
    at: -1000,
    attributes: { 'weather.forecast.status': 'seeded' },
  });

/** An attempt that failed. A silent definition: the span names neither stage nor status within it. */
function attempt(failure: Failure, options: Partial<SpanOptions>): ObservedSpan {
  const { step, run, isOfRun, category, message, span } = failure;
  return endedSpan({
    step,
    run,
    miner: isOfRun ? null : minerOf(failure),
    maxAttempts: MAX_ATTEMPTS,
    error: { type: category, message },
    ...span,
    ...options,
  });
}

const firstAttempt = (failure: Failure): ObservedSpan =>
  attempt(failure, {
    status: 'retry_scheduled',
    attributes: { 'weather.retry.next_time': instant(60_000) },
  });

/** The last attempt; the failure of a miner's step ends its forecast, that of a run's step the run. */
function lastAttempt(failure: Failure): readonly ObservedSpan[] {
  const runFails = { 'weather.run.status': 'failed', 'weather.run.error_message': failure.message };
  const allFailed = { 'weather.run.status': 'all_miners_failed', 'weather.run.error_message': 'all failed' };
  const last = (attributes: SpanOptions['attributes'] & object) =>
    attempt(failure, { attempt: 3, at: 60_000, attributes });
  const runEnds = (attributes: SpanOptions['attributes'] & object) =>
    endedSpan({ step: 'orchestration', run: failure.run, miner: null, at: 70_000, attributes });
  if (failure.step === 'orchestration') return [last(runFails)];
  if (failure.isOfRun) return [last({}), runEnds(runFails)];
  return [last({ 'weather.forecast.status': 'failed' }), runEnds(allFailed)];
}

const ROWS = `
  select run_id::int as run, forecast_status, current_forecast_stage, current_forecast_status, last_error_message,
    last_error_type, last_error_fault, retries_remaining, next_scheduled_retry, completed_at is not null as has_ended
  from weather_forecast_stats order by run_id`;

const rowsByRun = async (): Promise<ReadonlyMap<number, Record<string, unknown>>> =>
  new Map((await queryRows<{ run: number }>(database.pool, ROWS)).map((row) => [row.run, { ...row }]));

describe('a failure of each category in each place', () => {
  beforeAll(async () => {
    await emptyTables(database.pool);
    await writeBatches(database.pool, [FAILURES.map(seeded), FAILURES.map(firstAttempt)]);
  });
  afterAll(() => emptyTables(database.pool));

  it('the forecast shows stage, error, fault, retries and the next retry while it is retried', async () => {
    const rows = await rowsByRun();
    for (const failure of FAILURES) {
      const { run, stage, message, category, fault } = failure;
      expect(rows.get(run), message).toEqual({
        run,
        forecast_status: 'seeded',
        current_forecast_stage: stage,
        // The orchestration is in no stage: the forecast stays seeded, and shows the error of its run.
        current_forecast_status: failure.step === 'orchestration' ? 'completed' : 'waiting_retry',
        last_error_message: message,
        last_error_type: category,
        last_error_fault: fault,
        retries_remaining: failure.step === 'orchestration' ? null : MAX_ATTEMPTS - 1,
        next_scheduled_retry: failure.step === 'orchestration' ? null : new Date(instant(60_000)),
        has_ended: false,
      });
    }
  });

  it('the forecast shows how it ended once nothing is tried again, and counts only by its own fault', async () => {
    await writeBatches(database.pool, [FAILURES.flatMap(lastAttempt)]);
    const rows = await rowsByRun();
    for (const { run, stage, message, category, fault } of FAILURES) {
      expect(rows.get(run), message).toEqual({
        run,
        forecast_status: 'failed',
        current_forecast_stage: stage,
        current_forecast_status: 'failed',
        last_error_message: message,
        last_error_type: category,
        last_error_fault: fault,
        retries_remaining: 0,
        next_scheduled_retry: null,
        has_ended: true,
      });
    }
    const stats = await queryRows<{ miner_hotkey: string }>(
      database.pool,
      `select miner_hotkey, failed_forecasts::int as failed, excused_forecasts::int as excused,
         consecutive_failures::int as streak, forecast_success_ratio as ratio from miner_stats`,
    );
    const byMiner = new Map(stats.map(({ miner_hotkey, ...counts }) => [miner_hotkey, counts]));
    for (const { hotkey, fault, message } of FAILURES) {
      const isOwn = fault === 'miner';
      expect(byMiner.get(hotkey), message).toEqual(
        isOwn
          ? { failed: 1, excused: 0, streak: 1, ratio: 0 }
          : { failed: 0, excused: 1, streak: 0, ratio: null },
      );
    }
    expect(await queryRows(database.pool, 'select * from inconsistent_rows')).toEqual([]);
  });
});

describe('a run that ends, however it ends', () => {
  const endOf = (run: number, status: string): ObservedSpan =>
    endedSpan({
      step: 'orchestration',
      run,
      miner: null,
      at: 500_000,
      attributes: { 'weather.run.status': status, 'weather.run.error_message': 'it is over' },
    });

  it('no row of it says that something is still to come, whatever was recorded before', async () => {
    await fc.assert(
      fc.asyncProperty(recordedRun, fc.constantFrom(...TERMINAL_RUN_STATUSES), async (spans, status) => {
        await emptyTables(database.pool);
        await writeBatches(database.pool, [spans, [endOf(1, status), endOf(2, status)]]);
        const found = await queryRows(
          database.pool,
          `select problem, detail from inconsistent_rows where table_name <> 'weather_forecast_steps'`,
        );
        expect(found).toEqual([]);
      }),
      { numRuns: 30, seed: 20261130 },
    );
  });
});
