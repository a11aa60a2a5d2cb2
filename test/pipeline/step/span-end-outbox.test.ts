import { describe, expect, it } from 'vitest';
import type { SpanEndCodec } from '#pipeline';
import { keepOpenOnce } from '#test/support/private-jobs';
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
    await expect.poll(() => ends.recorded.length, { timeout: 10_000 }).toBe(1);
    const replayable = spans.of(name).map((span) => `${span.name} ${span.spanContext().spanId}`);
    expect(replayable).toContain(ends.recorded[0]);
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

describe('span-end outbox: a recorder that is down', () => {
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
