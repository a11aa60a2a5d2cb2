import fc from 'fast-check';
import type { Pool } from 'pg';
import { describe, expect, it } from 'vitest';
import { createPostgresExporter } from '#postgres/exporter';
import { readPipelineState } from '#postgres/queries/read-pipeline-state';
import { microsOfIso, microsOfNanos } from '#facts/instants';
import type { ObservedSpan } from '#facts/observed-span';
import { NO_TRUTH_WAIT, type OpenRun, type PipelineState } from '#facts/pipeline-state';
import { era5Stage, inferenceStage, STAGES, type StepName } from '#semconv';
import { accountOf } from '#test/support/accounts';
import { interceptPool } from '#test/support/intercepted-pool';
import { useTestDatabase, writeBatches } from '#test/exporters/postgres/support/database';
import { recordedRun } from '#test/support/recorded-run';
import { initTimeOf, instantIn, RECORDED_RUNS } from '#test/support/recorded-runs';
import { endedSpan, INIT_TIME, startOfSpan, T, type SpanOptions } from '#test/support/spans';
import { emptyTables } from '#test/support/tables';

const database = useTestDatabase({ isEmptiedBeforeEach: true });

/** The instant `ms` after `T` in microseconds, and as text. */
const at = (ms: number): number => microsOfNanos(T) + ms * 1000;
const textAt = (ms: number): string => new Date(at(ms) / 1000).toISOString();

const record = (...spans: readonly ObservedSpan[]) => writeBatches(database.pool, [spans]);

/** The state read `ms` after `T`. */
const stateAt = (ms: number): Promise<PipelineState> =>
  readPipelineState(database.pool, { now: () => at(ms) / 1000 });

const minerOf = (uid: number) => ({ uid, hotkey: `5Miner${uid}` });
const started = (step: StepName, options: Omit<SpanOptions, 'step'> = {}): ObservedSpan =>
  startOfSpan(endedSpan({ step, ...options }));
const retried = (step: StepName, nextMs: number, options: Omit<SpanOptions, 'step'> = {}): ObservedSpan =>
  endedSpan({
    step,
    status: 'retry_scheduled',
    ...options,
    attributes: { 'weather.retry.next_time': textAt(nextMs), ...options.attributes },
  });
const waiting = (lead: number, dueMs: number, options: Partial<SpanOptions> = {}): ObservedSpan =>
  endedSpan({
    step: 'era5',
    lead,
    status: 'waiting_for_truth',
    ...options,
    attributes: {
      'weather.retry.next_time': textAt(3_600_000),
      'weather.truth.due_time': textAt(dueMs),
      ...options.attributes,
    },
  });
const orchestrated = (status: string, options: Partial<SpanOptions> = {}): ObservedSpan =>
  endedSpan({
    step: 'orchestration',
    miner: null,
    ...options,
    attributes: { 'weather.run.status': status },
  });

const EMPTY: Omit<PipelineState, 'readAt'> = {
  validators: [],
  openRuns: [],
  unfinishedRuns: [],
  stepsInProgress: {},
  retries: {},
  deadLetters: {},
  missingRecords: 0,
  conflictingEmitters: 0,
};

describe('readPipelineState', () => {
  it('an empty database gives an empty state with the time of the given clock', async () => {
    expect(await stateAt(5)).toEqual({ readAt: at(5), ...EMPTY });
  });

  it('only open runs are read', async () => {
    await record(...RECORDED_RUNS);
    const { openRuns, ...state } = await readPipelineState(database.pool, {
      now: () => Date.parse(instantIn(3, 962_000)),
    });
    expect(openRuns).toEqual([
      {
        validatorId: 1,
        runId: 3,
        status: 'gfs_ready',
        statusSince: microsOfIso(instantIn(3, 120)),
        initTime: microsOfIso(initTimeOf(3)),
        forecasts: [
          { stage: 'era5_scoring', stageStatus: 'waiting_for_truth', forecasts: 1 },
          { stage: 'inference_requested', stageStatus: 'in_progress', forecasts: 1 },
          { stage: 'inference_running', stageStatus: 'polling', forecasts: 1 },
          { stage: 'verification', stageStatus: 'error', forecasts: 1 },
        ],
        truthWaits: { ...NO_TRUTH_WAIT, era5: { leads: 1, oldestDue: null } },
      },
    ]);
    expect(state).toEqual({
      deadLetters: {},
      missingRecords: 0,
      conflictingEmitters: 0,
      readAt: microsOfIso(instantIn(3, 962_000)),
      validators: [{ id: 1, hotkey: '5Validator' }],
      unfinishedRuns: [{ validatorId: 1, runId: 4, status: 'failed', endedAt: 1_795_486_805_100_000 }],
      stepsInProgress: { query: { steps: 1, oldestStart: microsOfIso(instantIn(3, 1000)) } },
      retries: { poll: { scheduled: 1, overdue: 1, oldestDue: microsOfIso(instantIn(3, 961_000)) } },
    });
  });
});

describe('unfinished runs', () => {
  const ends = (run: number, ms: number, status: string, validator = '5Validator') =>
    orchestrated(status, { run, at: ms, validator });

  it('of each validator the newest run of each end is told, and none that was completed or is open', async () => {
    await record(
      ends(1, 0, 'failed'),
      ends(2, 1000, 'failed'),
      ends(3, 2000, 'completed'),
      ends(4, 3000, 'stale_abandoned'),
      ends(5, 4000, 'awaiting_results'),
      ends(9, 5000, 'all_miners_failed', '5Other'),
    );
    const { unfinishedRuns, validators } = await stateAt(10_000);
    const hotkeys = new Map(validators.map(({ id, hotkey }) => [id, hotkey]));
    const named = unfinishedRuns.map(({ validatorId, ...run }) => ({
      ...run,
      hotkey: hotkeys.get(validatorId),
    }));
    expect(named.sort((a, b) => a.runId - b.runId)).toEqual([
      { hotkey: '5Validator', runId: 2, status: 'failed', endedAt: at(1100) },
      { hotkey: '5Validator', runId: 4, status: 'stale_abandoned', endedAt: at(3100) },
      { hotkey: '5Other', runId: 9, status: 'all_miners_failed', endedAt: at(5100) },
    ]);
  });
});

describe('forecasts of an open run', () => {
  const stagesOf = async (): Promise<OpenRun['forecasts']> => (await stateAt(0)).openRuns[0]?.forecasts ?? [];

  it('forecasts are counted by stage, numbered stages together', async () => {
    const texts = [...STAGES, inferenceStage(45), inferenceStage(90), era5Stage(72), era5Stage(24)];
    await record(
      ...texts.map((stage, uid) =>
        endedSpan({
          step: 'aggregate',
          miner: minerOf(uid),
          attributes: { 'weather.stage': stage, 'weather.stage.status': 'in_progress' },
        }),
      ),
    );
    const counts = Object.fromEntries((await stagesOf()).map(({ stage, forecasts }) => [stage, forecasts]));
    expect(counts).toEqual({
      ...Object.fromEntries(STAGES.map((stage) => [stage, 1])),
      inference_running: 3,
      era5_scoring: 3,
    });
  });

  it('a forecast with only calls counts as not begun', async () => {
    await record(endedSpan({ step: 'communication' }));
    expect(await stagesOf()).toEqual([{ stage: 'init', stageStatus: 'initialized', forecasts: 1 }]);
  });

  it('forecasts of an unknown stage are omitted and hide no others', async () => {
    await record(...[1, 2].map((uid) => endedSpan({ step: 'query', miner: minerOf(uid) })));
    await database.pool.query(
      `update weather_forecast_stats set current_forecast_stage = 'elsewhere' where miner_uid = 2`,
    );
    expect((await stagesOf()).map(({ forecasts }) => forecasts)).toEqual([1]);
  });
});

describe('status of an open run', () => {
  const sinceOf = async () => {
    const [run] = (await stateAt(0)).openRuns;
    return [run?.status, run?.statusSince];
  };

  it('the status starts with the end of the first step that set it', async () => {
    await record(
      orchestrated('seeding', { at: 0 }),
      orchestrated('awaiting_results', { at: 5000 }),
      orchestrated('awaiting_results', { at: 60_000 }),
    );
    expect(await sinceOf()).toEqual(['awaiting_results', at(5100)]);
  });

  it('the status starts with the start of a step that sets it while running', async () => {
    await record({ ...orchestrated('seeding', { at: 700 }), phase: 'started', endTimeUnixNano: null });
    expect(await sinceOf()).toEqual(['seeding', at(700)]);
  });

  it('the status is null when only steps of miners are recorded', async () => {
    await record(endedSpan({ step: 'query' }));
    expect((await stateAt(0)).openRuns).toMatchObject([
      { status: null, statusSince: null, initTime: microsOfIso(INIT_TIME) },
    ]);
  });
});

describe('steps in progress', () => {
  it('running steps are counted by step, with the oldest start', async () => {
    const call = endedSpan({ step: 'communication', at: 50, miner: minerOf(2) });
    await record(
      started('poll', { at: 200 }),
      started('poll', { at: 100, miner: minerOf(2) }),
      started('orchestration', { at: 300, miner: null }),
      startOfSpan(call),
      call,
    );
    expect((await stateAt(1000)).stepsInProgress).toEqual({
      poll: { steps: 2, oldestStart: at(100) },
      orchestration: { steps: 1, oldestStart: at(300) },
    });
  });
});

describe('scheduled retries', () => {
  it('a retry is overdue once its time has passed by the given clock', async () => {
    await record(
      retried('query', 10_000, { miner: minerOf(1) }),
      retried('query', 20_000, { miner: minerOf(2) }),
      retried('verify', 30_000, { miner: minerOf(3) }),
      retried('seed', 40_000, { miner: null, substep: 'gfs_download' }),
    );
    const seed = { scheduled: 1, overdue: 0, oldestDue: null };
    const verify = { scheduled: 1, overdue: 0, oldestDue: null };
    expect((await stateAt(10_000)).retries).toEqual({
      seed,
      verify,
      query: { scheduled: 2, overdue: 0, oldestDue: null },
    });
    expect((await stateAt(25_000)).retries).toEqual({
      seed,
      verify,
      query: { scheduled: 2, overdue: 2, oldestDue: at(10_000) },
    });
  });

  it('a retry that is running, superseded or of a completed run is not counted', async () => {
    await record(
      retried('query', 1000, { miner: minerOf(1) }),
      started('query', { miner: minerOf(1), at: 1000, attempt: 2 }),
      retried('query', 1000, { miner: minerOf(2) }),
      endedSpan({ step: 'query', miner: minerOf(2), at: 1000, attempt: 2 }),
      retried('query', 1000, { run: 2 }),
      orchestrated('failed', { run: 2, at: 900 }),
    );
    expect((await stateAt(5000)).retries).toEqual({});
  });
});

describe('leads waiting for truth', () => {
  it('waiting leads are counted by run, with the oldest due time of truth, not of the next poll', async () => {
    await record(
      ...[1, 2].flatMap((uid) => [
        waiting(24, 5000, { miner: minerOf(uid) }),
        waiting(48, 900_000, { miner: minerOf(uid) }),
      ]),
      waiting(72, 800_000, { run: 2 }),
      endedSpan({ step: 'query', run: 3 }),
    );
    const { openRuns, retries } = await stateAt(60_000);
    const none = { leads: 0, oldestDue: null };
    expect(openRuns.map((run) => [run.runId, run.truthWaits.day1, run.truthWaits.era5])).toEqual([
      [1, none, { leads: 4, oldestDue: at(5000) }],
      [2, none, { leads: 1, oldestDue: at(800_000) }],
      [3, none, none],
    ]);
    expect(retries).toEqual({});
  });

  it('day one waits for GFS, so its leads and due time are told apart from those of ERA5', async () => {
    await record(waiting(12, 3000, { step: 'day1' }), waiting(24, 5000));
    const [run] = (await stateAt(60_000)).openRuns;
    expect(run?.truthWaits).toEqual({
      day1: { leads: 1, oldestDue: at(3000) },
      era5: { leads: 1, oldestDue: at(5000) },
    });
  });

  it('a lead that is scored or being scored is not waiting', async () => {
    await record(
      waiting(24, 5000),
      endedSpan({ step: 'era5', lead: 24, at: 6000, attempt: 2 }),
      waiting(48, 7000),
      started('era5', { lead: 48, at: 8000, attempt: 2 }),
      waiting(72, 9000),
      waiting(72, 9500, { at: 4000, attempt: 2 }),
    );
    expect((await stateAt(60_000)).openRuns).toMatchObject([
      { truthWaits: { ...NO_TRUTH_WAIT, era5: { leads: 1, oldestDue: at(9500) } } },
    ]);
  });
});

describe('unrecorded spans', () => {
  it('dead letters are counted by reason', async () => {
    const broken = { 'weather.stage': 'nowhere' };
    await record(
      endedSpan({ step: 'query', attributes: broken }),
      endedSpan({ step: 'poll', attributes: broken }),
    );
    expect((await stateAt(0)).deadLetters).toEqual({ invalid_attribute: 2 });
  });

  it('missing records are summed over all processes', async () => {
    const exporter = createPostgresExporter({ pool: database.pool });
    const books = { received: [[1, 3] as const, [6, 10] as const], lastSequence: 12, deliveredSequence: 9 };
    for (const instanceId of ['instance-1', 'instance-2'])
      await exporter.exportObserved([], { account: accountOf({ instanceId, ...books }) });
    expect((await stateAt(0)).missingRecords).toBe(4);
  });
});

describe('the state beside the views', () => {
  /** Sums of the state as the views give them. */
  async function sumsOfViews(pool: Pool, now: string): Promise<unknown> {
    const { rows } = await pool.query<{ sums: unknown }>(
      `select json_build_object(
        'forecasts', (select json_object_agg(run_id, miners order by run_id) from run_progress
          where completion_time is null),
        'waiting', (select json_object_agg(run_id, leads order by run_id) from (
          select run_id, (select count(*) from newest_attempts as step
            where status = 'waiting_for_truth' and step_name in ('day1', 'era5')
            and (step.validator_id, step.run_id) = (run.validator_id, run.run_id) and not exists (
              select from weather_forecast_stats as forecast
              where (forecast.validator_id, forecast.run_id, forecast.miner_hotkey)
                  = (step.validator_id, step.run_id, step.miner_hotkey)
                and forecast.forecast_status in ('completed', 'failed'))) as leads
          from run_progress as run where completion_time is null) as leads),
        'retries', (select count(*) from scheduled_retries where not waits_for_truth),
        'overdue', (select count(*) from scheduled_retries where not waits_for_truth and next_retry_time < $1),
        'running', (select count(*) from weather_forecast_steps where status = 'in_progress')) as sums`,
      [now],
    );
    return rows[0]?.sums;
  }

  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const byRun = (runs: readonly OpenRun[], value: (run: OpenRun) => number) =>
    runs.length === 0 ? null : Object.fromEntries(runs.map((run) => [run.runId, value(run)]));

  const sumsOf = ({ openRuns, retries, stepsInProgress }: PipelineState) => ({
    forecasts: byRun(openRuns, (run) => sum(run.forecasts.map(({ forecasts }) => forecasts))),
    waiting: byRun(openRuns, ({ truthWaits: { day1, era5 } }) => day1.leads + era5.leads),
    retries: sum(Object.values(retries).map(({ scheduled }) => scheduled)),
    overdue: sum(Object.values(retries).map(({ overdue }) => overdue)),
    running: sum(Object.values(stepsInProgress).map(({ steps }) => steps)),
  });

  it('the sums of the state equal those of the views', async () => {
    await fc.assert(
      fc.asyncProperty(recordedRun, fc.integer({ min: 0, max: 70_000 }), async (spans, ms) => {
        await emptyTables(database.pool);
        await record(...spans);
        expect(sumsOf(await stateAt(ms))).toEqual(await sumsOfViews(database.pool, textAt(ms)));
      }),
      { numRuns: 40, seed: 20_261_123 },
    );
  });
});

describe('the transaction of readPipelineState', () => {
  it('the state is one read-only snapshot, which later commits do not change', async () => {
    await record(endedSpan({ step: 'query' }));
    let isWritten = false;
    const pool = interceptPool(database.pool, async (text, run) => {
      if (text.includes('from weather_forecast_runs') && !isWritten) {
        isWritten = true;
        await record(endedSpan({ step: 'query', run: 2 }));
      }
      return run();
    });
    expect((await readPipelineState(pool)).openRuns.map(({ runId }) => runId)).toEqual([1]);
    expect((await readPipelineState(pool)).openRuns.map(({ runId }) => runId)).toEqual([1, 2]);
    const writing = interceptPool(database.pool, (text, run, client) =>
      text.includes('from weather_forecast_runs') ? client.query('delete from emitters') : run(),
    );
    await expect(readPipelineState(writing)).rejects.toMatchObject({ code: '25006' });
  });

  it('a statement times out, and an aborted signal ends the reading between statements', async () => {
    let timeout: unknown;
    const pool = interceptPool(database.pool, async (text, run, client) => {
      if (text === 'commit') timeout = (await client.query('show statement_timeout')).rows;
      return run();
    });
    await readPipelineState(pool);
    expect(timeout).toEqual([{ statement_timeout: '3s' }]);
    await expect(
      readPipelineState(database.pool, { signal: AbortSignal.abort(new Error('closing')) }),
    ).rejects.toThrow('closing');
  });

  it('the newest attempts come from an index-only scan', async () => {
    await record(...RECORDED_RUNS);
    await database.pool.query('vacuum analyze weather_forecast_steps_finished');
    let plan = '';
    const pool = interceptPool(database.pool, async (text, run, client) => {
      if (!text.includes('newest as materialized')) return run();
      await client.query('set local enable_seqscan = off; set local enable_bitmapscan = off');
      const values = [[1], [3], textAt(0)];
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values);
      plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      return run();
    });
    await readPipelineState(pool);
    expect(plan).toContain('Index Only Scan');
    const ofFinished = plan.split('\n').filter((line) => line.includes('on weather_forecast_steps_finished'));
    expect(ofFinished.filter((line) => !line.includes('Index Only Scan'))).toEqual([]);
  });

  it('processes that share an id are counted, each once', async () => {
    const exporter = createPostgresExporter({ pool: database.pool });
    for (const instanceId of ['instance-1', 'instance-2'])
      for (const epoch of ['first', 'second', instanceId])
        await exporter.exportObserved([], { account: accountOf({ instanceId, epoch }) });
    await exporter.exportObserved([], { account: accountOf({ instanceId: 'alone', epoch: 'first' }) });
    expect(await stateAt(0)).toMatchObject({ conflictingEmitters: 2, missingRecords: 0 });
  });
});
