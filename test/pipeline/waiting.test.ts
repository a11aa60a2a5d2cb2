import { beforeAll, describe, expect, it } from 'vitest';
import type { GridStore } from '#grids';
import { GFS_LOCK_CLASS } from '#pipeline/control/advisory-lock';
import { CategorizedError } from '#semconv';
import { contextOf, statusOf } from './support/captured-spans.ts';
import { useFreshBench } from './support/fresh-bench.ts';
import { ALL_LEADS, DAY1_LEAD, runRequest, tinyStores } from './support/pipeline-bench.ts';
import { stubMiners } from './support/stub-miners.ts';
import {
  cycleAfterInit,
  INIT_TIME,
  isoAfterInit,
  tinyClimatology,
  tinyFiles,
  tinyStore,
} from './support/tiny-world.ts';

const { spans, bench } = useFreshBench();
const DAY = 86_400_000;
let partial: GridStore;
let full: GridStore;
beforeAll(async () => {
  partial = await tinyStore({ leads: [12, 24], error: 0 });
  full = await tinyStore({ leads: ALL_LEADS, error: 0 });
});

const goodMiners = async (initTime = INIT_TIME) =>
  stubMiners([{ files: await tinyFiles({ initTime, leads: ALL_LEADS, error: 0.1, phase: 1 }) }], initTime);
const leadSpans = (lead: number) =>
  spans.of('era5').filter(({ attributes }) => attributes['weather.lead_hours'] === lead);

describe('waiting for truth', () => {
  it('a lead waits until ERA5 is due without opening a store or using up an attempt', async () => {
    const initTime = new Date(Math.floor(Date.now() / (DAY / 4)) * (DAY / 4));
    const stub = await goodMiners(initTime);
    let openings = 0;
    const stores = {
      truth: () => {
        openings += 1;
        return tinyStore({ initTime, leads: ALL_LEADS, error: 0 });
      },
      climatology: await tinyClimatology(ALL_LEADS, initTime),
      reference: await tinyStore({ initTime, leads: ALL_LEADS, error: 0.4, phase: 5 }),
      analysis: await tinyStore({ initTime, leads: [DAY1_LEAD], error: 0.02 }),
    };
    // ERA5 is due some five seconds after the start: later than a busy machine needs to reach that point.
    const pipeline = bench.open(stub, stores, { delayFactor: 1e-5 });
    const runId = await pipeline.createRun(runRequest(stub, initTime));
    await pipeline.start();
    await pipeline.finished(runId);
    expect((await pipeline.progress(runId)).leads.scored).toBe(3);
    expect(openings).toBe(1);
    for (const lead of [24, 48]) {
      const [first, second] = leadSpans(lead);
      const due = new Date(initTime.getTime() + lead * 3_600_000 + 5 * DAY + 6 * 3_600_000).toISOString();
      expect(first?.attributes).toMatchObject({
        'weather.step.status': 'waiting_for_truth',
        'weather.step.attempt': 1,
        'weather.stage.status': 'waiting_for_truth',
        'weather.truth.due_time': due,
      });
      expect(first?.attributes['error.type']).toBeUndefined();
      expect(second?.attributes).toMatchObject({
        'weather.step.status': 'succeeded',
        'weather.step.attempt': 1,
      });
      expect(second?.links.map(({ context }) => context.spanId)).toEqual([first?.spanContext().spanId]);
    }
  });

  it('overdue truth is polled, with the store reopened, until the store has it', async () => {
    const stub = await goodMiners();
    let openings = 0;
    const truth = async (): Promise<GridStore> => ((openings += 1) <= 3 ? partial : full);
    const pipeline = bench.open(stub, await tinyStores({ truth }));
    const progress = await bench.run(pipeline, stub);
    expect(progress).toMatchObject({ status: 'completed', leads: { scored: 3 } });
    const late = leadSpans(48);
    expect(late.length).toBeGreaterThan(2);
    expect(late.map(({ attributes }) => attributes['weather.step.attempt'])).toEqual(late.map(() => 1));
    expect(late.map(statusOf)).toEqual([...late.slice(1).map(() => 'waiting_for_truth'), 'succeeded']);
    expect(contextOf(late[0])['waiting']).toContain(`does not have ${isoAfterInit(48)} yet`);
  });

  it('progress names a miner that waits without a job', async () => {
    const stub = await goodMiners();
    const pipeline = bench.open(stub, await tinyStores({ truth: partial }), {
      delayFactor: 1e-3,
    });
    const runId = await pipeline.createRun(runRequest(stub));
    expect(await pipeline.progress(runId)).toMatchObject({ status: 'created', jobs: 1, withoutJob: [] });
    await bench.database.pool.query(
      `update pipeline.runs set status = 'awaiting_results' where run_id = $1`,
      [runId],
    );
    await bench.database.pool.query(
      `update pipeline.run_miners set state = 'polling', next_at = now() where run_id = $1`,
      [runId],
    );
    expect((await pipeline.progress(runId)).withoutJob).toEqual(['poll miner 0']);
  });

  it('truth is given up 30 days after its time, as missing and not as the miner’s fault', async () => {
    const initTime = new Date('2026-06-01T00:00:00Z');
    const stub = await goodMiners(initTime);
    const pipeline = bench.open(stub, {
      truth: await tinyStore({ initTime, leads: [12, 24], error: 0 }),
      climatology: await tinyClimatology(ALL_LEADS, initTime),
      reference: await tinyStore({ initTime, leads: ALL_LEADS, error: 0.4, phase: 5 }),
      analysis: await tinyStore({ initTime, leads: [DAY1_LEAD], error: 0.02 }),
    });
    const runId = await pipeline.createRun(runRequest(stub, initTime));
    await pipeline.start();
    await pipeline.finished(runId);
    expect(
      leadSpans(48).map(({ attributes }) => [attributes['weather.step.status'], attributes['error.type']]),
    ).toEqual([['failed', 'truth_missing']]);
    expect((await pipeline.progress(runId)).miners.completed).toBe(1);
  });

  it('an outage of the truth store is a wait, too: it uses up no attempt', async () => {
    const stub = await goodMiners();
    let openings = 0;
    const truth = async (): Promise<GridStore> => {
      openings += 1;
      if (openings <= 2)
        throw new CategorizedError('http_5xx', 'the archive answered 503', { retryable: true });
      return full;
    };
    await bench.run(bench.open(stub, await tinyStores({ truth })), stub);
    const all = spans.of('era5');
    expect(all.filter((span) => statusOf(span) === 'waiting_for_truth').length).toBeGreaterThan(0);
    expect(all.map(({ attributes }) => attributes['weather.step.attempt'])).toEqual(all.map(() => 1));
    expect(contextOf(all[0])['waiting']).toContain('The truth store cannot be read');
  });

  it('the progress of a run says what its waiting scores wait for: day one for GFS where there is an analysis', async () => {
    const stub = await goodMiners();
    const stores = await tinyStores();
    const { runId } = await bench.run(bench.open(stub, stores), stub);
    await bench.database.pool.query("update pipeline.leads set state = 'waiting_for_truth', score = null");
    const { truth, climatology, reference } = stores;
    const waits = await Promise.all(
      [stores, { truth, climatology, reference }].map(async (opened) => {
        const progress = await bench.open(stub, opened).progress(runId);
        return progress.waits;
      }),
    );
    expect(waits).toEqual([
      { gfs: 1, era5: 2 },
      { gfs: 0, era5: 3 },
    ]);
  });

  it('day one is scored against ERA5 when there is no analysis', async () => {
    const stub = await goodMiners();
    const { truth, climatology, reference } = await tinyStores();
    await bench.run(bench.open(stub, { truth, climatology, reference }), stub);
    expect(contextOf(spans.of('day1').at(-1))).toMatchObject({ truth: 'truth' });
    expect(spans.of('day1').map(statusOf).at(-1)).toBe('succeeded');
  });
});

describe('GFS', () => {
  const decisions = (): unknown[] =>
    spans
      .of('orchestration')
      .flatMap(({ events }) =>
        events
          .filter(({ name }) => name === 'weather.orchestration.decision')
          .map(({ attributes }) => [
            attributes?.['weather.orchestration.decision'],
            attributes?.['weather.orchestration.level'],
          ]),
      );

  it('GFS is tried six times, then the run fails without querying or blaming a miner', async () => {
    const stub = await goodMiners();
    const analysis = (): Promise<GridStore> =>
      Promise.reject(new CategorizedError('rate_limited_upstream', '429'));
    const progress = await bench.run(bench.open(stub, await tinyStores({ analysis })), stub);
    expect(progress).toMatchObject({ status: 'failed', withoutJob: [], jobs: 0 });
    const tries = spans.of('seed', 'gfs_download');
    expect(
      tries.map(({ attributes }) => [attributes['weather.step.status'], attributes['error.type']]),
    ).toEqual([
      ...Array.from({ length: 5 }, () => ['retry_scheduled', 'rate_limited_upstream']),
      ['failed', 'rate_limited_upstream'],
    ]);
    expect(stub.calls(0, 'initiateFetch')).toBe(0);
    expect(spans.of('query')).toEqual([]);
    expect(decisions().at(-1)).toEqual(['fail_run', 'ERROR']);
    expect(decisions().filter((one) => String(one).startsWith('wait_for_gfs'))).toHaveLength(5);
    const [last] = spans.of('orchestration').slice(-1);
    expect(last?.attributes['weather.run.error_message']).toContain('rate_limited_upstream');
  });

  it('an analysis that is not there yet is awaited', async () => {
    const stub = await goodMiners();
    const { analysis: whole } = await tinyStores();
    const early = await tinyStore({ leads: [24], error: 0 });
    let openings = 0;
    const analysis = async (): Promise<GridStore> => ((openings += 1) === 1 ? early : (whole as GridStore));
    const progress = await bench.run(bench.open(stub, await tinyStores({ analysis })), stub);
    expect(progress.status).toBe('completed');
    const [first] = spans.of('seed', 'gfs_download');
    expect(first?.attributes).toMatchObject({
      'weather.step.status': 'retry_scheduled',
      'error.type': 'truth_not_ready',
    });
  });

  it('a busy lock is neither a success nor a failed attempt', async () => {
    const holder = await bench.database.pool.connect();
    await holder.query('select pg_advisory_lock($1, hashtext($2))', [GFS_LOCK_CLASS, cycleAfterInit(0)]);
    const stub = await goodMiners();
    const pipeline = bench.open(stub, await tinyStores(), { delayFactor: 1e-4 });
    const runId = await pipeline.createRun(runRequest(stub));
    await pipeline.start();
    // Runs that other tests left waiting may be worked on here, too.
    const triesOfRun = () =>
      spans.of('seed', 'gfs_download').filter(({ attributes }) => attributes['weather.run.id'] === runId);
    await expect.poll(() => triesOfRun().length, { timeout: 10_000 }).toBeGreaterThan(2);
    holder.release(true);
    await pipeline.finished(runId);
    const tries = triesOfRun();
    expect(tries.at(0)?.attributes).toMatchObject({
      'weather.step.status': 'retry_scheduled',
      'error.type': 'lock_busy',
    });
    expect(tries.map(({ attributes }) => attributes['weather.step.attempt'])).toEqual(tries.map(() => 1));
    expect(statusOf(tries.at(-1))).toBe('succeeded');
  });
});
