import { describe, expect, it } from 'vitest';
import { useFreshBench } from '../support/fresh-bench.ts';
import { goodForecast, runRequest, tinyStores, type PipelineBench } from '../support/pipeline-bench.ts';
import { stubMiners } from '../support/stub-miners.ts';

const EVERYWHERE = 'http://203.0.113.9:%';
const REASON = 'its miners are gone';
const WHY = { category: 'process_crash', reason: REASON } as const;

const { spans, bench } = useFreshBench();

async function openRun(settings: Parameters<PipelineBench['open']>[2] = {}) {
  const stub = stubMiners([{ files: await goodForecast() }, { files: await goodForecast(2) }]);
  const pipeline = bench.open(stub, await tinyStores(), settings);
  return { stub, pipeline, runId: await pipeline.createRun(runRequest(stub)) };
}

describe('abandonRuns', () => {
  it('an abandoned run is over, and its trace holds the decision with the reason', async () => {
    const { pipeline, runId } = await openRun();
    expect(await pipeline.abandonRuns(EVERYWHERE, WHY)).toEqual([runId]);
    expect(await pipeline.progress(runId)).toMatchObject({
      status: 'stale_abandoned',
      isFinished: true,
      miners: { failed: 2 },
    });
    const [decision] = spans.of('orchestration', 'decision');
    expect(decision?.attributes).toMatchObject({
      'weather.run.id': runId,
      'weather.run.status': 'stale_abandoned',
      'weather.run.error_message': REASON,
      'weather.run.error_type': 'process_crash',
    });
    expect(decision?.events.map(({ attributes }) => attributes?.['weather.orchestration.decision'])).toEqual([
      'abandon_run',
    ]);
    const [root] = spans.of('orchestration', 'create_run');
    expect(decision?.parentSpanContext?.spanId).toBe(root?.spanContext().spanId);
  });

  it('the jobs of an abandoned run do nothing and make no span', async () => {
    const { pipeline, runId } = await openRun();
    await pipeline.abandonRuns(EVERYWHERE, WHY);
    spans.reset();
    await pipeline.start();
    await expect.poll(async () => (await pipeline.progress(runId)).jobs).toBe(0);
    expect(spans.of()).toEqual([]);
    expect((await pipeline.progress(runId)).status).toBe('stale_abandoned');
  });

  it('a new run of the same cycle can be created after one was abandoned', async () => {
    const { stub, pipeline, runId } = await openRun();
    expect(await pipeline.createRun(runRequest(stub))).toBe(runId);
    await pipeline.abandonRuns(EVERYWHERE, WHY);
    expect(await pipeline.createRun(runRequest(stub))).toBeGreaterThan(runId);
  });

  it('a finished run and a run with a miner elsewhere are not abandoned', async () => {
    const { pipeline, runId } = await openRun();
    expect(await pipeline.abandonRuns('http://127.0.0.1:%', WHY)).toEqual([]);
    expect((await pipeline.progress(runId)).isFinished).toBe(false);
    await pipeline.start();
    await pipeline.finished(runId);
    expect(await pipeline.abandonRuns(EVERYWHERE, WHY)).toEqual([]);
    expect((await pipeline.progress(runId)).status).toBe('completed');
  });
});
