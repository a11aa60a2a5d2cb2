import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Interrupted, interruptible, untilAborted } from '#commands/terminal/signals';

const never = new Promise<never>(() => undefined);
/** Stands in for the process: signals are emitted, and nothing ends. */
const fakeProcess = (): EventEmitter & Pick<NodeJS.Process, 'once' | 'off'> =>
  new EventEmitter() as EventEmitter & Pick<NodeJS.Process, 'once' | 'off'>;

describe('interruptible', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s aborts the work, with the exit code %i', async (name, exitCode) => {
    const source = fakeProcess();
    const work = interruptible((signal) => untilAborted(signal, never), source);
    source.emit(name, name);
    const error = await work.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Interrupted);
    expect(error).toMatchObject({ exitCode, message: `Ended by ${name} before the work was done.` });
  });

  it('a second signal is left to the process, which it kills', async () => {
    const source = fakeProcess();
    const work = interruptible((signal) => untilAborted(signal, never), source).catch(() => undefined);
    source.emit('SIGINT', 'SIGINT');
    expect(source.listenerCount('SIGINT') + source.listenerCount('SIGTERM')).toBe(0);
    await work;
  });

  it('uninterrupted work returns its result and leaves no listener', async () => {
    const source = fakeProcess();
    expect(await interruptible(() => Promise.resolve('done'), source)).toBe('done');
    expect(source.eventNames()).toEqual([]);
  });

  it('work that fails leaves no listener', async () => {
    const source = fakeProcess();
    await expect(interruptible(() => Promise.reject(new Error('no')), source)).rejects.toThrow('no');
    expect(source.eventNames()).toEqual([]);
  });
});

describe('untilAborted', () => {
  it('a promise that settles before the abort decides the outcome', async () => {
    const { signal } = new AbortController();
    expect(await untilAborted(signal, Promise.resolve(7))).toBe(7);
    await expect(untilAborted(signal, Promise.reject(new Error('first')))).rejects.toThrow('first');
  });

  it('an aborted signal rejects at once with its reason, without an unhandled rejection', async () => {
    const signal = AbortSignal.abort(new Error('too late'));
    await expect(untilAborted(signal, Promise.reject(new Error('unheard')))).rejects.toThrow('too late');
  });
});
