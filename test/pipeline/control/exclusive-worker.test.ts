import { describe, expect, it } from 'vitest';
import { useFreshBench } from '../support/fresh-bench.ts';
import { goodForecast, runRequest, tinyStores } from '../support/pipeline-bench.ts';
import { stubMiners } from '../support/stub-miners.ts';

const { bench } = useFreshBench();

async function openRun() {
  const stub = stubMiners([{ files: await goodForecast() }]);
  const pipeline = bench.open(stub, await tinyStores());
  await pipeline.createRun(runRequest(stub));
  return { stub, pipeline };
}

describe('exclusive worker', () => {
  it('no other pipeline can start or become exclusive until the exclusive one stops', async () => {
    const { stub, pipeline } = await openRun();
    const other = bench.open(stub, await tinyStores());
    await pipeline.acquireExclusive();
    await expect(other.start()).rejects.toMatchObject({ category: 'lock_busy', retryable: true });
    await expect(other.acquireExclusive()).rejects.toThrow(
      'Another process works on the runs of this database',
    );
    await pipeline.start();
    await pipeline.stop();
    await other.acquireExclusive();
    await other.start();
  });

  it('a pipeline cannot become exclusive while another one works', async () => {
    const { stub, pipeline } = await openRun();
    const other = bench.open(stub, await tinyStores());
    await other.start();
    await expect(pipeline.acquireExclusive()).rejects.toThrow(
      'Another process works on the runs of this database',
    );
    await other.stop();
    await pipeline.acquireExclusive();
  });

  it('any number of pipelines share a database while none is exclusive', async () => {
    const { stub, pipeline } = await openRun();
    const other = bench.open(stub, await tinyStores());
    await Promise.all([pipeline.start(), other.start()]);
    expect(bench.problems).toEqual([]);
  });
});
