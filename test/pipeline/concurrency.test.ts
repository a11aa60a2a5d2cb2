import { describe, expect, it } from 'vitest';
import { beforeEachJob } from '../support/private-jobs.ts';
import { contextOf, statusOf } from './support/captured-spans.ts';
import { useFreshBench } from './support/fresh-bench.ts';
import { goodForecast, runRequest, tinyStores } from './support/pipeline-bench.ts';
import { stubMiners } from './support/stub-miners.ts';

const { spans, bench } = useFreshBench();

/** Counts the ended spans of each step, miner, lead and attempt. */
function endings(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { attributes } of spans.of()) {
    const key = ['step.name', 'step.substep', 'miner.uid', 'lead_hours', 'step.attempt', 'step.status']
      .map((name) => attributes[`weather.${name}`])
      .join(' ');
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

describe('concurrent pipelines', () => {
  it('two pipelines share a run of many miners: each step is done exactly once and none is left', async () => {
    const files = await goodForecast();
    const stub = stubMiners(Array.from({ length: 12 }, () => ({ files })));
    const stores = await tinyStores();
    const [first, second] = [
      bench.open(stub, stores, { concurrency: 6 }),
      bench.open(stub, stores, { concurrency: 6 }),
    ];
    const runId = await first.createRun(runRequest(stub));
    await Promise.all([first.start(), second.start()]);
    await Promise.all([first.finished(runId), second.finished(runId)]);
    expect(await second.progress(runId)).toMatchObject({
      status: 'completed',
      miners: { completed: 12 },
      leads: { scored: 36, failed: 0 },
      jobs: 0,
      withoutJob: [],
    });
    const ended = [...endings()].filter(([key]) => !key.startsWith('orchestration decision'));
    expect(ended.filter(([, count]) => count !== 1)).toEqual([]);
    expect(spans.of('aggregate', 'miner_scores')).toHaveLength(12);
    expect(bench.problems).toEqual([]);
  });

  it('two concurrent requests for one cycle create one run', async () => {
    const stub = stubMiners([{ files: await goodForecast() }]);
    const stores = await tinyStores();
    const pipelines = [bench.open(stub, stores), bench.open(stub, stores)];
    const ids = await Promise.all(pipelines.map((pipeline) => pipeline.createRun(runRequest(stub))));
    expect(new Set(ids).size).toBe(1);
    expect(spans.of('orchestration', 'create_run')).toHaveLength(1);
  });

  it('a new run of a cycle can be created when the one before is over', async () => {
    const stub = stubMiners([{ files: await goodForecast() }]);
    const pipeline = bench.open(stub, await tinyStores());
    const first = await bench.run(pipeline, stub);
    const second = await bench.run(pipeline, stub);
    expect(second.runId).toBeGreaterThan(first.runId);
    expect(second.status).toBe('completed');
  });
});

describe('restarted pipeline', () => {
  it('a restarted pipeline continues where it was stopped, in the same traces', async () => {
    let isResumed = false;
    const stub = stubMiners([
      {
        files: await goodForecast(),
        poll: (call) =>
          isResumed && call > 5
            ? { kind: 'completed' }
            : { kind: 'running', progress: call, wireStatus: 'running' },
      },
    ]);
    const stores = await tinyStores();
    const before = bench.open(stub, stores, { delayFactor: 1e-3 });
    const runId = await before.createRun(runRequest(stub));
    await before.start();
    await expect.poll(() => spans.of('poll').length, { timeout: 10_000 }).toBeGreaterThan(1);
    await before.stop();
    isResumed = true;
    await expect(before.finished(runId)).rejects.toThrow('stopped before the run was over');
    const after = bench.open(stub, stores);
    await after.start();
    await after.finished(runId);
    const polls = spans.of('poll');
    // The next attempt may end first: the span of a step ends only after the commit that queues the next one.
    const attempts = polls
      .map(({ attributes }) => Number(attributes['weather.step.attempt']))
      .sort((x, y) => x - y);
    expect(attempts).toEqual(attempts.map((_, index) => index + 1));
    expect(attempts.length).toBeGreaterThan(5);
    expect(new Set(polls.map((span) => span.spanContext().traceId)).size).toBe(1);
    expect((await after.progress(runId)).status).toBe('completed');
  });
});

describe('lost connections', () => {
  it('a run survives lost connections: lost steps are repeated and no job is left', async () => {
    const files = await goodForecast();
    const stub = stubMiners(Array.from({ length: 6 }, () => ({ files })));
    const recovery = { checkMillis: 100, graceMillis: 1000 };
    const pipeline = bench.open(stub, await tinyStores(), { delayFactor: 1e-4, recovery });
    const runId = await pipeline.createRun(runRequest(stub));
    await pipeline.start();
    for (const steps of [4, 12, 20]) {
      await expect.poll(() => spans.of().length, { timeout: 20_000 }).toBeGreaterThan(steps);
      await bench.database.pool.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and application_name = 'barograph-pipeline'`,
      );
    }
    await pipeline.finished(runId);
    expect(await pipeline.progress(runId)).toMatchObject({
      status: 'completed',
      miners: { completed: 6 },
      leads: { scored: 18 },
      withoutJob: [],
    });
  });

  it('the progress of an unknown run is an error', async () => {
    const pipeline = bench.open(stubMiners([]), await tinyStores());
    await expect(pipeline.progress(77)).rejects.toThrow('There is no run 77');
    await expect(pipeline.finished(77)).rejects.toThrow(RangeError);
  });
});

describe('redelivered jobs', () => {
  it('a redelivered job does nothing when its transition was made before', async () => {
    const stub = stubMiners([{ files: await goodForecast() }]);
    const pipeline = bench.open(stub, await tinyStores());
    const { runId } = await bench.run(pipeline, stub);
    const before = spans.of().length;
    const { pool } = bench.database;
    const tasks = [
      'orchestrate',
      'gfs_download',
      'query',
      'poll',
      'verify',
      'score_lead',
      'aggregate_miner',
      'finish_run',
    ];
    for (const task of tasks) {
      const payload = { runId, minerUid: 0, revision: 1, scoreType: 'era5', leadHours: 24 };
      await pool.query('select pipeline.add_job($1, $2::json)', [task, JSON.stringify(payload)]);
    }
    await expect
      .poll(async () => (await pool.query('select from pipeline.jobs')).rowCount, {
        timeout: 10_000,
      })
      .toBe(0);
    expect(spans.of()).toHaveLength(before);
    expect(stub.calls(0, 'initiateFetch')).toBe(1);
  });

  it('a superseded step records no status of the forecast', async () => {
    const { pool } = bench.database;
    const stub = stubMiners([
      {
        files: await goodForecast(),
        poll: (call) => {
          // While this worker still asks, another one makes the transition.
          if (call === 1) overtake = pool.query(`update pipeline.run_miners set revision = revision + 1`);
          return { kind: 'completed' };
        },
      },
    ]);
    let overtake: Promise<unknown> | undefined;
    const client = {
      ...stub.client,
      pollJobStatus: async (...args: Parameters<typeof stub.client.pollJobStatus>) => {
        const reply = await stub.client.pollJobStatus(...args);
        await overtake;
        return reply;
      },
    };
    const pipeline = bench.open(stub, await tinyStores(), { minerClient: client });
    const runId = await pipeline.createRun(runRequest(stub));
    await pipeline.start();
    await expect.poll(() => spans.of('poll').length, { timeout: 10_000 }).toBe(1);
    const [poll] = spans.of('poll');
    expect(statusOf(poll)).toBe('succeeded');
    expect(contextOf(poll)).toMatchObject({ superseded: true });
    expect(poll?.attributes['weather.stage']).toBeUndefined();
    expect((await pipeline.progress(runId)).miners.polling).toBe(1);
  });

  it('a job that never ended in ten deliveries fails as process_crash', async () => {
    const stub = stubMiners([{ files: await goodForecast() }]);
    const pipeline = bench.open(stub, await tinyStores());
    const runId = await pipeline.createRun(runRequest(stub));
    const { pool } = bench.database;
    await beforeEachJob(
      pool,
      'insert',
      `begin if new.key like 'query:%' then new.attempts := 10; end if; return new; end`,
    );
    await pipeline.start();
    await pipeline.finished(runId);
    expect(
      spans
        .of('query')
        .map(({ attributes }) => [attributes['weather.step.status'], attributes['error.type']]),
    ).toEqual([['failed', 'process_crash']]);
    expect(stub.calls(0, 'initiateFetch')).toBe(0);
  });
});
