import { describe, expect, it, vi } from 'vitest';
import { describeProgress, watchProgress } from '#commands/terminal/watch-progress';
import type { RunProgress } from '#pipeline';
import { captureOutput } from '../support/captured-output.ts';

const RUN = { validatorHotkey: '5Short', runId: 3 };

const progressOf = (completed: number): RunProgress => ({
  runId: 3,
  status: completed === 2 ? 'completed' : 'awaiting_results',
  isFinished: completed === 2,
  miners: {
    created: 0,
    seeded: 0,
    querying: 0,
    polling: 0,
    verifying: 0,
    scoring: 2 - completed,
    completed,
    failed: 1,
  },
  leads: { pending: 1, due: 0, waiting_for_truth: 4, scored: 6, failed: 2 },
  waits: { gfs: 1, era5: 3 },
  jobs: 0,
  nextJobAt: null,
  withoutJob: [],
});

describe('watchProgress', () => {
  it('the progress of a run is one line with the number of miners and scores by state', () => {
    expect(describeProgress('5GrwvaEF5zXb26Fz', progressOf(1))).toBe(
      'run 3 of 5GrwvaE… awaiting results · miners: 1 completed, 1 failed, 1 under way · scores: 6 of 13, 1 wait for GFS, 3 wait for ERA5, 2 failed',
    );
  });

  it('progress is printed when it changed, from the start to the end', async () => {
    vi.useFakeTimers();
    const output = captureOutput();
    let completed = 0;
    let finish: () => void = () => undefined;
    const pipeline = {
      progress: () => Promise.resolve(progressOf(completed)),
      finished: () => new Promise<void>((resolve) => (finish = resolve)),
    };
    const watching = watchProgress(pipeline, RUN, { output, signal: new AbortController().signal });
    await vi.advanceTimersByTimeAsync(3000);
    completed = 1;
    await vi.advanceTimersByTimeAsync(1000);
    completed = 2;
    finish();
    await watching;
    vi.useRealTimers();
    expect(output.progressLines).toEqual(
      [0, 1, 2].map((count) => describeProgress('5Short', progressOf(count))),
    );
  });

  it('no progress is printed after an interruption', async () => {
    const output = captureOutput();
    const pipeline = { progress: () => Promise.resolve(progressOf(1)), finished: () => Promise.resolve() };
    await watchProgress(pipeline, RUN, { output, signal: AbortSignal.abort() });
    expect(output.progressLines).toEqual([]);
  });

  it('an interruption does not wait for a progress query that never resolves', async () => {
    vi.useFakeTimers();
    let asked = 0;
    let breakOff: (error: Error) => void = () => undefined;
    const pipeline = {
      progress: () =>
        (asked += 1) === 1 ? Promise.resolve(progressOf(0)) : new Promise<RunProgress>(() => undefined),
      finished: () => new Promise<void>((_, reject) => (breakOff = reject)),
    };
    const watching = watchProgress(pipeline, RUN, {
      output: captureOutput(),
      signal: new AbortController().signal,
    });
    await vi.advanceTimersByTimeAsync(3000);
    breakOff(new Error('the pipeline was stopped'));
    await expect(watching).rejects.toThrow('the pipeline was stopped');
    vi.useRealTimers();
    expect(asked, 'asked once at a time').toBe(2);
  });
});
