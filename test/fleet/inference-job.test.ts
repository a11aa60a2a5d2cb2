import { describe, expect, it } from 'vitest';
import type { HostedStore } from '#fleet/hosted-store';
import { beginInference } from '#fleet/inference-job';

const store: HostedStore = { manifestHash: '', paths: [], read: () => null };
const usual = { makeStore: async () => store, polls: 2, failure: null, maxWaitMillis: 1000 };

describe('inference job', () => {
  it('a job runs for its number of polls with growing progress', async () => {
    const job = beginInference(usual);
    expect([await job.poll(), await job.poll(), await job.poll()]).toEqual([
      { kind: 'running', progress: 0 },
      { kind: 'running', progress: 50 },
      { kind: 'completed', store },
    ]);
  });

  it('reading the state does not advance a job', async () => {
    const job = beginInference(usual);
    for (let look = 0; look < 5; look += 1)
      expect(await job.state()).toEqual({ kind: 'running', progress: 0 });
  });

  it('a job keeps running beyond its polls while the forecast is in progress', async () => {
    let finish: (made: HostedStore) => void = () => undefined;
    const makeStore = () => new Promise<HostedStore>((resolve) => (finish = resolve));
    const job = beginInference({ ...usual, makeStore, polls: 0, maxWaitMillis: 1 });
    expect(await job.poll()).toEqual({ kind: 'running', progress: 99 });
    finish(store);
    expect(await job.poll()).toEqual({ kind: 'completed', store });
  });

  it('a job that must fail reports its message and makes no forecast', async () => {
    let made = 0;
    const makeStore = async (): Promise<HostedStore> => {
      made += 1;
      return store;
    };
    const job = beginInference({ ...usual, makeStore, polls: 0, failure: 'CUDA' });
    expect(await job.poll()).toEqual({ kind: 'failed', message: 'CUDA' });
    expect(made).toBe(0);
  });

  it('a job whose forecast cannot be made fails instead of running forever', async () => {
    const job = beginInference({ ...usual, makeStore: () => Promise.reject(new Error('x')), polls: 0 });
    expect(await job.poll()).toMatchObject({ kind: 'failed' });
  });
});
