import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PollReply } from '#pipeline/miners/index';
import { captureSpans } from './support/captured-spans.ts';
import {
  goodForecast,
  openBench,
  runRequest,
  tinyStores,
  type PipelineBench,
} from './support/pipeline-bench.ts';
import { stubMiners, type StubMiners } from './support/stub-miners.ts';

const spans = captureSpans();
let bench: PipelineBench;
beforeEach(async () => {
  spans.reset();
  bench = await openBench();
});
afterEach(() => bench.close());

/** A client whose polls are answered when the test says so. */
function withHeldPolls(stub: StubMiners) {
  let answer: (reply: PollReply) => void = () => undefined;
  let tellAsked: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => (tellAsked = resolve));
  const reply = new Promise<PollReply>((resolve) => (answer = resolve));
  const pollJobStatus = (): Promise<PollReply> => {
    tellAsked();
    return reply;
  };
  return { minerClient: { ...stub.client, pollJobStatus }, asked, answer };
}

/** A run whose only miner is being polled, by a pipeline that waits so long for its steps when it is stopped. */
async function startHeldRun(stopMillis: number) {
  const stub = stubMiners([{ files: await goodForecast() }]);
  const { minerClient, asked, answer } = withHeldPolls(stub);
  // One worker: another one's question for a job may be answered with the step that follows from the poll.
  const pipeline = bench.open(stub, await tinyStores(), { minerClient, stopMillis, concurrency: 1 });
  const runId = await pipeline.createRun(runRequest(stub));
  await pipeline.start();
  await asked;
  // The step before the poll is closed by its own connection, perhaps after the poll has begun.
  await expect.poll(async () => (await jobs()).length).toBe(1);
  return { stub, pipeline, runId, answer };
}

const jobs = async () =>
  (
    await bench.database.pool.query<{ locked: boolean; attempts: number }>(
      'select locked_at is not null as locked, attempts from pipeline.jobs',
    )
  ).rows;

describe('a pipeline that is stopped while a step is under way', () => {
  it('a pipeline that is stopped while a step is under way waits for a step that ends in time, which counts like any other', async () => {
    const { pipeline, runId, answer } = await startHeldRun(30_000);
    const progress = await pipeline.progress(runId);
    const stopped = pipeline.stop();
    answer({ kind: 'completed' });
    expect(await stopped).toEqual({ finished: 1, left: 0 });
    expect(progress.miners.polling).toBe(1);
    expect(spans.of('poll')).toHaveLength(1);
    expect(await jobs()).toEqual([{ locked: false, attempts: 0 }]);
  });

  it('a pipeline that is stopped while a step is under way lets go of a step that does not: its job is free at once, and the delivery does not count', async () => {
    const { pipeline, answer } = await startHeldRun(0);
    expect(await pipeline.stop()).toEqual({ finished: 0, left: 1 });
    expect(await pipeline.stop()).toEqual({ finished: 0, left: 1 });
    expect(await jobs()).toEqual([{ locked: false, attempts: 0 }]);
    answer({ kind: 'completed' });
  });

  it('a pipeline that is stopped while a step is under way keeps a step that it let go of from committing or failing later, while another worker does it', async () => {
    const { stub, pipeline, runId, answer } = await startHeldRun(0);
    await pipeline.stop();
    answer({ kind: 'failed', message: 'too late' });
    const next = bench.open(stub, await tinyStores());
    await next.start();
    await next.finished(runId);
    expect(await next.progress(runId)).toMatchObject({ status: 'completed', miners: { completed: 1 } });
    expect(spans.of('poll').map(({ attributes }) => attributes['weather.step.status'])).toEqual([
      'succeeded',
    ]);
    expect(bench.problems).toEqual([]);
  });

  it('a pipeline that is stopped while a step is under way reports nothing when nothing was under way, or when it had never started', async () => {
    const stub = stubMiners([{ files: await goodForecast() }]);
    const stores = await tinyStores();
    const started = bench.open(stub, stores);
    await started.start();
    expect(await started.stop()).toEqual({ finished: 0, left: 0 });
    expect(await bench.open(stub, stores).stop()).toEqual({ finished: 0, left: 0 });
  });
});
