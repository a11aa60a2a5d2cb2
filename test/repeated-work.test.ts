import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startRepeatedWork } from '../src/repeated-work.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Work whose rounds are ended by hand. */
function manualWork() {
  const rounds: {
    readonly signal: AbortSignal;
    readonly end: () => void;
    readonly fail: (error: Error) => void;
  }[] = [];
  const errors: unknown[] = [];
  const close = startRepeatedWork({
    work: (signal) => new Promise((end, fail) => rounds.push({ signal, end, fail })),
    everyMillis: 6000,
    retryMillis: 500,
    onError: (error) => errors.push(error),
  });
  return { rounds, errors, close };
}

describe('repeated work', () => {
  it('is done at once, and again so long after it has ended, never twice at a time', async () => {
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

  it('tells its error, and is tried again sooner', async () => {
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

  it('is over when it is closed: what is under way is told to end, and ends first', async () => {
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

  it('keeps no process alive while it waits', async () => {
    vi.useRealTimers();
    const unref = vi.spyOn(Object.getPrototypeOf(setTimeout(() => undefined, 0)) as NodeJS.Timeout, 'unref');
    const { rounds, close } = manualWork();
    rounds[0]?.end();
    await vi.waitFor(() => expect(unref).toHaveBeenCalled());
    unref.mockRestore();
    await close();
  });
});
