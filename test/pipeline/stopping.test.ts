import { describe, expect, it } from 'vitest';
import type { PollReply } from '#pipeline/miners/index';
import { useFreshBench } from './support/fresh-bench.ts';
import { goodForecast, runRequest, tinyStores } from './support/pipeline-bench.ts';
import { stubMiners, type StubMiners } from './support/stub-miners.ts';

const { spans, bench } = useFreshBench();

/** A client whose polls are pending until the test resolves them. */
function withHeldPolls(stub: StubMiners) {
  let resolvePoll: (reply: PollReply) => void = () => undefined;
  let resolveAsked: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => (resolveAsked = resolve));
  const reply = new Promise<PollReply>((resolve) => (resolvePoll = resolve));
  const pollJobStatus = (): Promise<PollReply> => {
    resolveAsked();
    return reply;
  };
  return { minerClient: { ...stub.client, pollJobStatus }, asked, resolvePoll: resolvePoll };
}

/** A run whose only miner is being polled, by a pipeline that waits so long for its steps when it is stopped. */
async function startHeldRun(stopMillis: number) {
  const stub = stubMiners([{ files: await goodForecast() }]);
  const { minerClient, asked, resolvePoll: resolvePoll } = withHeldPolls(stub);
  // One worker: another one's question for a job may be answered with the step that follows from the poll.
  const pipeline = bench.open(stub, await tinyStores(), { minerClient, stopMillis, concurrency: 1 });
  const runId = await pipeline.createRun(runRequest(stub));
  await pipeline.start();
  await asked;
  // The step before the poll is closed by its own connection, perhaps after the poll has begun.
  await expect.poll(async () => (await jobs()).length).toBe(1);
  return { stub, pipeline, runId, resolvePoll: resolvePoll };
}

const jobs = async () =>
  (
    await bench.database.pool.query<{ locked: boolean; attempts: number }>(
      'select locked_at is not null as locked, attempts from pipeline.jobs',
    )
  ).rows;

describe('stopping a pipeline while a step is running', () => {
  it('a step that ends in time is awaited and counts like any other', async () => {
    const { pipeline, runId, resolvePoll: resolvePoll } = await startHeldRun(30_000);
    const progress = await pipeline.progress(runId);
    const stopped = pipeline.stop();
    resolvePoll({ kind: 'completed' });
    expect(await stopped).toEqual({ finished: 1, left: 0 });
    expect(progress.miners.polling).toBe(1);
    expect(spans.of('poll')).toHaveLength(1);
    expect(await jobs()).toEqual([{ locked: false, attempts: 0 }]);
  });

  it('a step that does not end in time is abandoned: its job is free and the delivery not counted', async () => {
    const { pipeline, resolvePoll: resolvePoll } = await startHeldRun(0);
    expect(await pipeline.stop()).toEqual({ finished: 0, left: 1 });
    expect(await pipeline.stop()).toEqual({ finished: 0, left: 1 });
    expect(await jobs()).toEqual([{ locked: false, attempts: 0 }]);
    resolvePoll({ kind: 'completed' });
  });

  it('an abandoned step neither commits nor fails later, while another worker repeats it', async () => {
    const { stub, pipeline, runId, resolvePoll: resolvePoll } = await startHeldRun(0);
    await pipeline.stop();
    resolvePoll({ kind: 'failed', message: 'too late' });
    const next = bench.open(stub, await tinyStores());
    await next.start();
    await next.finished(runId);
    expect(await next.progress(runId)).toMatchObject({ status: 'completed', miners: { completed: 1 } });
    expect(spans.of('poll').map(({ attributes }) => attributes['weather.step.status'])).toEqual([
      'succeeded',
    ]);
    expect(bench.problems).toEqual([]);
  });

  it('a stop reports 0 steps when none was running or the pipeline had never started', async () => {
    const stub = stubMiners([{ files: await goodForecast() }]);
    const stores = await tinyStores();
    const started = bench.open(stub, stores);
    await started.start();
    expect(await started.stop()).toEqual({ finished: 0, left: 0 });
    expect(await bench.open(stub, stores).stop()).toEqual({ finished: 0, left: 0 });
  });
});
