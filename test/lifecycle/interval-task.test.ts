import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startIntervalTask } from '#lifecycle/interval-task';
import { ManualScheduler } from '../exporters/processor/manual-scheduler.ts';

/** Work whose rounds are ended by hand. */
function manualWork() {
  const rounds: {
    readonly signal: AbortSignal;
    readonly end: () => void;
    readonly fail: (error: Error) => void;
  }[] = [];
  const errors: unknown[] = [];
  const close = startIntervalTask({
    work: (signal) => new Promise<void>((end, fail) => rounds.push({ signal, end, fail })),
    everyMillis: 6000,
    retryMillis: 500,
    onError: (error) => errors.push(error),
  });
  return { rounds, errors, close };
}

describe('an interval task', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('an interval task runs at once, and again after its pause, never concurrently', async () => {
    const { rounds, close } = manualWork();
    expect(rounds).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(rounds).toHaveLength(1);
    rounds[0]?.end();
    await vi.advanceTimersByTimeAsync(5999);
    expect(rounds).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(rounds).toHaveLength(2);
    rounds[1]?.end();
    await close();
  });

  it('an interval task passes its error on, and is retried sooner', async () => {
    const { rounds, errors, close } = manualWork();
    rounds[0]?.fail(new Error('the database is away'));
    await vi.advanceTimersByTimeAsync(500);
    expect(errors).toEqual([new Error('the database is away')]);
    expect(rounds).toHaveLength(2);
    rounds[1]?.end();
    await vi.advanceTimersByTimeAsync(5999);
    expect(rounds).toHaveLength(2);
    await close();
  });

  it('closing an interval task aborts the signal of a run in progress and waits for its end', async () => {
    const { rounds, errors, close } = manualWork();
    let isClosed = false;
    const closing = close().then(() => (isClosed = true));
    await vi.advanceTimersByTimeAsync(0);
    expect([isClosed, rounds[0]?.signal.aborted]).toEqual([false, true]);
    rounds[0]?.fail(new Error('broken off'));
    await closing;
    await vi.advanceTimersByTimeAsync(60_000);
    expect([rounds.length, errors]).toEqual([1, []]);
  });

  it('an interval task does not keep the process alive during its pause', async () => {
    vi.useRealTimers();
    const unref = vi.spyOn(Object.getPrototypeOf(setTimeout(() => undefined, 0)) as NodeJS.Timeout, 'unref');
    const { rounds, close } = manualWork();
    rounds[0]?.end();
    await vi.waitFor(() => expect(unref).toHaveBeenCalled());
    unref.mockRestore();
    await close();
  });
});

describe('an interval task with a scheduler of its own', () => {
  it('an interval task with a previous run begins after the pause that follows it', async () => {
    const scheduler = new ManualScheduler();
    let endPreviousRun = (): void => undefined;
    const previousRun = new Promise<void>((resolve) => (endPreviousRun = resolve));
    let runs = 0;
    const work = async () => (runs += 1);
    const close = startIntervalTask({ work, previousRun, everyMillis: 1000, scheduler });
    await scheduler.advance(5000);
    expect([runs, scheduler.pending]).toEqual([0, []]);
    endPreviousRun();
    await scheduler.advance(0);
    expect([runs, scheduler.pending]).toEqual([0, [{ inMillis: 1000, keepsProcessAlive: false }]]);
    await scheduler.advance(2000);
    expect(runs).toBe(2);
    await close();
    expect(scheduler.pending).toEqual([]);
  });

  it('closing an interval task waits for the previous run, and begins none', async () => {
    const scheduler = new ManualScheduler();
    let endPreviousRun = (): void => undefined;
    const previousRun = new Promise<void>((resolve) => (endPreviousRun = resolve));
    let runs = 0;
    const close = startIntervalTask({
      work: async () => (runs += 1),
      previousRun,
      everyMillis: 1000,
      scheduler,
    });
    let isClosed = false;
    const closing = close().then(() => (isClosed = true));
    await scheduler.advance(1000);
    expect(isClosed).toBe(false);
    endPreviousRun();
    await closing;
    await scheduler.advance(60_000);
    expect(runs).toBe(0);
  });

  it('an interval task without onError ignores errors and keeps its pause', async () => {
    const scheduler = new ManualScheduler();
    let runs = 0;
    const work = (): Promise<void> => {
      runs += 1;
      return Promise.reject(new Error('the disk is gone'));
    };
    const close = startIntervalTask({ work, everyMillis: 1000, scheduler });
    await scheduler.advance(3000);
    expect(runs).toBe(4);
    await close();
  });
});
