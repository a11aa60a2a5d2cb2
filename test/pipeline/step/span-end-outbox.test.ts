import { describe, expect, it } from 'vitest';
import type { SpanEndCodec } from '#pipeline';
import { createDatabasePool } from '#database/connect';
import { interceptPool, type Interceptor } from '#test/support/intercepted-pool';
import { deleteJobs, keepOpenOnce, storeEndInPayloads } from '#test/support/private-jobs';
import { useFreshBench } from '../support/fresh-bench.ts';
import { goodForecast, runRequest, tinyStores } from '../support/pipeline-bench.ts';
import { stubMiners } from '../support/stub-miners.ts';

const { spans, bench } = useFreshBench();

/** Encodes an end as name and id of its span. `recorded` leaves out the root of the run, which is always replayed. */
function idsAsEnds(): SpanEndCodec & { readonly recorded: string[] } {
  const recorded: string[] = [];
  return {
    recorded,
    encode: (span) => `${span.name} ${span.spanContext().spanId}`,
    record: async (encoded) => {
      if (!encoded.startsWith('forecast.run ')) recorded.push(encoded);
    },
  };
}

/** A grace period that no job reaches by itself, so that only those of `keepOpenOnce` are delivered again. */
const RECOVERY = { checkMillis: 50, graceMillis: 600_000 };

describe('span-end outbox: a worker that dies between commit and export', () => {
  it.each([
    ['query:%', 'query'],
    ['poll:%', 'poll'],
    ['verify:%', 'verify'],
    ['score_lead:%:day1:%', 'day1'],
    ['score_lead:%:era5:24:%', 'era5'],
    ['aggregate_miner:%', 'aggregate'],
    ['gfs_download:%', 'seed'],
    ['orchestrate:%:r0', 'orchestration'],
  ])('the next worker replays the span end once and repeats no step: %s', async (pattern, name) => {
    const stub = stubMiners([{ files: await goodForecast() }]);
    const ends = idsAsEnds();
    const pipeline = bench.open(stub, await tinyStores(), { ends, recovery: RECOVERY });
    const runId = await pipeline.createRun(runRequest(stub));
    await keepOpenOnce(bench.database.pool, pattern);
    await pipeline.start();
    await pipeline.finished(runId);
    await expect.poll(async () => (await pipeline.progress(runId)).jobs, { timeout: 10_000 }).toBe(0);
    const ofStep = spans.of(name).map((span) => `${span.name} ${span.spanContext().spanId}`);
    // The job that opens the traces of the miners commits several steps.
    expect(ends.recorded.filter((end) => ofStep.includes(end))).toHaveLength(1);
    expect(new Set(ends.recorded).size).toBe(ends.recorded.length);
    expect(await storedEnds()).toEqual([]);
    expect(await pipeline.progress(runId)).toMatchObject({ status: 'completed', leads: { scored: 3 } });
    expect(stub.calls(0, 'initiateFetch')).toBe(1);
  });

  it('a job is delivered again until its span end is durable', async () => {
    const stub = stubMiners([{ files: await goodForecast() }]);
    const ends = idsAsEnds();
    let tries = 0;
    const record = async (encoded: string): Promise<void> => {
      if (encoded.startsWith('forecast.run ')) return;
      tries += 1;
      if (tries === 1) throw new Error('the database is away');
      await ends.record(encoded);
    };
    const pipeline = bench.open(stub, await tinyStores(), {
      ends: { ...ends, record },
      recovery: RECOVERY,
    });
    const runId = await pipeline.createRun(runRequest(stub));
    await keepOpenOnce(bench.database.pool, 'verify:%');
    await pipeline.start();
    await pipeline.finished(runId);
    await expect.poll(() => ends.recorded.length, { timeout: 20_000 }).toBe(1);
    expect(tries).toBe(2);
  });
});

/** The ends that are stored now, in the order of their commits. */
const storedEnds = async (): Promise<unknown[]> =>
  (
    await bench.database.pool.query<{ encoded: unknown }>(
      'select encoded from pipeline.span_ends order by span_end_id',
    )
  ).rows.map(({ encoded }) => encoded);

/** A pool of a process that dies with its next commit of a span end: the commit arrives, its reply never does. */
function openDyingPool() {
  const pool = createDatabasePool(bench.database.connectionString);
  const state = { isArmed: false, isEndStored: false };
  let onCommitted = (): void => undefined;
  const committed = new Promise<void>((resolve) => (onCommitted = resolve));
  let releaseCommitted = (): void => undefined;
  const intercept: Interceptor = async (text, run, client) => {
    const reply = await run();
    if (!state.isArmed || typeof text !== 'string') return reply;
    if (text.startsWith('insert into pipeline.span_ends')) state.isEndStored = true;
    if (text !== 'commit' || !state.isEndStored) return reply;
    state.isArmed = false;
    releaseCommitted = () => client.release(true);
    onCommitted();
    return new Promise(() => undefined);
  };
  const { connect } = interceptPool(pool, intercept);
  const dying = new Proxy(pool, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (name === 'connect')
        return (...args: Parameters<typeof pool.connect> | []) =>
          args.length === 0 ? connect() : pool.connect(...args);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
  const close = async (): Promise<void> => {
    releaseCommitted();
    await pool.end();
  };
  return { pool: dying, arm: () => void (state.isArmed = true), committed, close };
}

describe('span-end outbox: a crash between the commit of a step and the end of its span', () => {
  it('the next worker records the end exactly once and does not repeat the step', async () => {
    const stub = stubMiners([{ files: await goodForecast() }]);
    const ends = idsAsEnds();
    const { pool, arm, committed, close } = openDyingPool();
    const initiateFetch: typeof stub.client.initiateFetch = (...args) => {
      arm();
      return stub.client.initiateFetch(...args);
    };
    const settings = { pool, ends, stopMillis: 0, concurrency: 1 };
    const minerClient = { ...stub.client, initiateFetch };
    const dying = bench.open(stub, await tinyStores(), { ...settings, minerClient });
    const runId = await dying.createRun(runRequest(stub));
    await dying.start();
    await committed;
    const stored = await storedEnds();
    expect(await dying.stop()).toMatchObject({ left: 1 });
    const next = bench.open(stub, await tinyStores(), { ends, recovery: RECOVERY });
    await next.start();
    await next.finished(runId);
    await expect.poll(async () => (await next.progress(runId)).jobs).toBe(0);
    expect(stored).toHaveLength(1);
    expect(ends.recorded).toEqual(stored);
    expect(spans.of('query')).toEqual([]);
    expect(stub.calls(0, 'initiateFetch')).toBe(1);
    expect(await storedEnds()).toEqual([]);
    await close();
  });
});

describe('span-end outbox: jobs that are not delivered again', () => {
  it('an end whose job is gone is recorded once by any worker, and deleted', async () => {
    const stub = stubMiners([{ files: await goodForecast() }]);
    const ends = idsAsEnds();
    const pipeline = bench.open(stub, await tinyStores(), { ends, recovery: RECOVERY });
    await pipeline.createRun(runRequest(stub));
    await deleteJobs(bench.database.pool);
    await bench.database.pool.query(
      `insert into pipeline.span_ends (queue_job_id, delivery, encoded) values (4711, 1, 'an end without a job')`,
    );
    await pipeline.start();
    await expect.poll(storedEnds).toEqual([]);
    expect(ends.recorded).toEqual(['an end without a job']);
  });

  it('an end that cannot be recorded holds up no other and is tried again', async () => {
    const stub = stubMiners([{ files: await goodForecast() }]);
    const ends = idsAsEnds();
    let tries = 0;
    const record = async (encoded: string): Promise<void> => {
      tries += encoded === 'first' ? 1 : 0;
      if (encoded === 'first' && tries === 1) throw new Error('the database is away');
      await ends.record(encoded);
    };
    const pipeline = bench.open(stub, await tinyStores(), { ends: { ...ends, record }, recovery: RECOVERY });
    await bench.database.pool.query(
      `insert into pipeline.span_ends (queue_job_id, delivery, encoded) values (1, 1, 'first'), (2, 1, 'second')`,
    );
    await pipeline.start();
    await expect.poll(storedEnds).toEqual([]);
    expect(ends.recorded).toEqual(['second', 'first']);
    expect(bench.problems).toEqual([expect.stringContaining('the database is away')]);
  });
});

describe('span-end outbox: ends that can never be recorded', () => {
  it('a page full of them holds up no newer end, and each is said once however often it is tried', async () => {
    const stub = stubMiners([{ files: await goodForecast() }]);
    const ends = idsAsEnds();
    let rounds = 0;
    const record = async (encoded: string): Promise<void> => {
      rounds += encoded === 'bad 1' ? 1 : 0;
      if (encoded.startsWith('bad')) throw new Error('not the text of a span');
      await ends.record(encoded);
    };
    const pipeline = bench.open(stub, await tinyStores(), { ends: { ...ends, record }, recovery: RECOVERY });
    await bench.database.pool.query(
      `insert into pipeline.span_ends (queue_job_id, delivery, encoded)
       select n, 1, case n when 120 then 'good' else 'bad ' || n end from generate_series(1, 120) as n`,
    );
    await pipeline.start();
    await expect.poll(() => ends.recorded).toEqual(['good']);
    await expect.poll(() => rounds).toBeGreaterThan(3);
    expect(await storedEnds()).toHaveLength(119);
    expect(bench.problems).toEqual([
      expect.stringMatching(/^100 stored span ends .*not the text of a span.* 1, 2, 3, 4, 5 and 95 more/),
      expect.stringMatching(
        /^19 stored span ends .*not the text of a span.* 101, 102, 103, 104, 105 and 14 more/,
      ),
    ]);
  });
});

describe('span-end outbox: jobs of the version before it', () => {
  it('an end in the payload of a queued job is recorded when the job is delivered', async () => {
    const stub = stubMiners([{ files: await goodForecast() }]);
    const ends = idsAsEnds();
    const pipeline = bench.open(stub, await tinyStores(), { ends });
    const runId = await pipeline.createRun(runRequest(stub));
    await storeEndInPayloads(bench.database.pool, 'an end of before');
    await pipeline.start();
    await pipeline.finished(runId);
    expect(ends.recorded).toEqual(['an end of before']);
    expect(stub.calls(0, 'initiateFetch')).toBe(1);
  });
});

describe('span-end outbox: a recorder that is down', () => {
  it('an end that is not recorded outlasts the ends of the steps that its job goes on with', async () => {
    const stub = stubMiners([{ files: await goodForecast() }]);
    const ends = idsAsEnds();
    const record = () => Promise.reject(new Error('the recorder is away'));
    const pipeline = bench.open(stub, await tinyStores(), { ends: { ...ends, record } });
    const runId = await pipeline.createRun(runRequest(stub));
    // A delivery that a stop released is not counted, so the next one has its number.
    await bench.database.pool.query(
      `insert into pipeline.span_ends (queue_job_id, delivery, encoded)
       select id, 1, 'an end of a released delivery' from pipeline.jobs`,
    );
    await pipeline.start();
    await pipeline.finished(runId);
    const [root] = spans.of('orchestration', 'create_run');
    await expect
      .poll(storedEnds)
      .toEqual([`forecast.run ${root?.spanContext().spanId}`, 'an end of a released delivery']);
  });

  it('a recorder that is down blocks no run: the span ends wait with their jobs', async () => {
    const stub = stubMiners([{ files: await goodForecast() }]);
    const record = () => Promise.reject(new Error('the recorder is away'));
    const pipeline = bench.open(stub, await tinyStores(), { ends: { ...idsAsEnds(), record } });
    const { runId, status } = await bench.run(pipeline, stub);
    expect(status).toBe('completed');
    await expect.poll(async () => (await pipeline.progress(runId)).jobs).toBe(1);
  });
});

describe('span-end outbox: the root of a run', () => {
  it('the first job of a run replays the end of its root span', async () => {
    const stub = stubMiners([{ files: await goodForecast() }]);
    const recorded: string[] = [];
    const ends = { ...idsAsEnds(), record: async (encoded: string) => void recorded.push(encoded) };
    const pipeline = bench.open(stub, await tinyStores(), { ends });
    await bench.run(pipeline, stub);
    const [root] = spans.of('orchestration', 'create_run');
    expect(recorded).toEqual([`forecast.run ${root?.spanContext().spanId}`]);
  });
});

describe('span-end outbox: completed jobs', () => {
  it('a completed job is deleted with its span end, which has been exported', async () => {
    const stub = stubMiners([{ files: await goodForecast() }]);
    const ends = idsAsEnds();
    const pipeline = bench.open(stub, await tinyStores(), { ends });
    await bench.run(pipeline, stub);
    expect(ends.recorded).toEqual([]);
    await expect
      .poll(async () => (await bench.database.pool.query('select from pipeline.jobs')).rowCount)
      .toBe(0);
    expect(await storedEnds()).toEqual([]);
  });

  it('a job whose span end cannot be encoded is completed all the same', async () => {
    const stub = stubMiners([{ files: await goodForecast() }]);
    const encode = (): string => {
      throw new Error('no such encoding');
    };
    const pipeline = bench.open(stub, await tinyStores(), { ends: { ...idsAsEnds(), encode } });
    expect((await bench.run(pipeline, stub)).status).toBe('completed');
    expect(bench.problems).toEqual([]);
  });
});
