import { describe, expect, it } from 'vitest';
import type { HostedStore } from '#fleet/hosted-store';
import { beginInference } from '#fleet/inference-job';

const store: HostedStore = { manifestHash: '', paths: [], read: () => null };
const usual = { makeStore: async () => store, polls: 2, failure: null, patienceMillis: 1000 };

describe('an inference', () => {
  it('an inference takes the polls that it was given, with a progress that grows', async () => {
    const job = beginInference(usual);
    expect([await job.poll(), await job.poll(), await job.poll()]).toEqual([
      { kind: 'running', progress: 0 },
      { kind: 'running', progress: 50 },
      { kind: 'completed', store },
    ]);
  });

  it('an inference is not moved on by being looked at', async () => {
    const job = beginInference(usual);
    for (let look = 0; look < 5; look += 1)
      expect(await job.state()).toEqual({ kind: 'running', progress: 0 });
  });

  it('an inference still runs while the forecast is being made, beyond its polls', async () => {
    let finish: (made: HostedStore) => void = () => undefined;
    const makeStore = () => new Promise<HostedStore>((resolve) => (finish = resolve));
    const job = beginInference({ ...usual, makeStore, polls: 0, patienceMillis: 1 });
    expect(await job.poll()).toEqual({ kind: 'running', progress: 99 });
    finish(store);
    expect(await job.poll()).toEqual({ kind: 'completed', store });
  });

  it('an inference that shall fail says why and makes no forecast', async () => {
    let made = 0;
    const makeStore = async (): Promise<HostedStore> => {
      made += 1;
      return store;
    };
    const job = beginInference({ ...usual, makeStore, polls: 0, failure: 'CUDA' });
    expect(await job.poll()).toEqual({ kind: 'failed', message: 'CUDA' });
    expect(made).toBe(0);
  });

  it('an inference fails when its forecast cannot be made, instead of running for ever', async () => {
    const job = beginInference({ ...usual, makeStore: () => Promise.reject(new Error('x')), polls: 0 });
    expect(await job.poll()).toMatchObject({ kind: 'failed' });
  });
});
