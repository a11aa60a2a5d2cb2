import { describe, expect, it } from 'vitest';
import { useFreshBench } from '../support/fresh-bench.ts';
import { runRequest, tinyStores } from '../support/pipeline-bench.ts';
import { stubMiners } from '../support/stub-miners.ts';
import { INIT_TIME } from '../support/tiny-world.ts';

const { spans, bench } = useFreshBench();

/** One miner that fails at once. */
const stub = stubMiners([
  { files: new Map(), initiateFetch: () => ({ kind: 'rejected', reason: 'no', identity: true }) },
]);
const openOne = async () => bench.open(stub, await tinyStores());

describe('ensureRun', () => {
  it('a run is created when there is none, and found while it is active', async () => {
    const pipeline = await openOne();
    const made = await pipeline.ensureRun(runRequest(stub));
    expect(made.isNew).toBe(true);
    expect(await pipeline.ensureRun(runRequest(stub))).toEqual({ runId: made.runId, isNew: false });
  });

  it('a finished run is found by ensureRun, while createRun makes a new one', async () => {
    const pipeline = await openOne();
    const { runId } = await pipeline.ensureRun(runRequest(stub));
    await pipeline.start();
    await pipeline.finished(runId);
    expect(await pipeline.ensureRun(runRequest(stub))).toEqual({ runId, isNew: false });
    const created = await pipeline.createRun(runRequest(stub));
    expect(created).not.toBe(runId);
    expect(await pipeline.ensureRun(runRequest(stub))).toEqual({ runId: created, isNew: false });
  });

  it('concurrent requests for one cycle create one run', async () => {
    const pipelines = await Promise.all(Array.from({ length: 4 }, openOne));
    const asked = await Promise.all(pipelines.map((pipeline) => pipeline.ensureRun(runRequest(stub))));
    expect(new Set(asked.map(({ runId }) => runId)).size).toBe(1);
    expect(asked.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect(spans.of('orchestration', 'create_run')).toHaveLength(1);
  });

  it('each cycle and each validator has its own run', async () => {
    const pipeline = await openOne();
    const nextDay = new Date(INIT_TIME.getTime() + 86_400_000);
    const runs = [
      await pipeline.ensureRun(runRequest(stub)),
      await pipeline.ensureRun(runRequest(stub, nextDay)),
      await pipeline.ensureRun({ ...runRequest(stub), validatorHotkey: 'another' }),
    ];
    expect(runs.map(({ isNew }) => isNew)).toEqual([true, true, true]);
  });

  it('a time that is not a GFS cycle is rejected', async () => {
    const pipeline = await openOne();
    const noCycle = new Date(INIT_TIME.getTime() + 60_000);
    await expect(pipeline.ensureRun(runRequest(stub, noCycle))).rejects.toThrow(
      /a run starts from a GFS cycle/,
    );
  });
});
