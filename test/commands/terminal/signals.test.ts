import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Interrupted, interruptible, untilAborted } from '#commands/terminal/signals';

const never = new Promise<never>(() => undefined);
/** Stands in for the process: signals are emitted, and nothing ends. */
const fakeProcess = (): EventEmitter & Pick<NodeJS.Process, 'once' | 'off'> =>
  new EventEmitter() as EventEmitter & Pick<NodeJS.Process, 'once' | 'off'>;

describe('interruptible work', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    'interruptible work is told of %s by its signal, with the exit code %i',
    async (name, exitCode) => {
      const source = fakeProcess();
      const work = interruptible((signal) => untilAborted(signal, never), source);
      source.emit(name, name);
      const error = await work.catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(Interrupted);
      expect(error).toMatchObject({ exitCode, message: `Ended by ${name} before the work was done.` });
    },
  );

  it('interruptible work leaves the second signal to the process, which it ends at once', async () => {
    const source = fakeProcess();
    const work = interruptible((signal) => untilAborted(signal, never), source).catch(() => undefined);
    source.emit('SIGINT', 'SIGINT');
    expect(source.listenerCount('SIGINT') + source.listenerCount('SIGTERM')).toBe(0);
    await work;
  });

  it('interruptible work gives its result and stops listening when nobody interrupts it', async () => {
    const source = fakeProcess();
    expect(await interruptible(() => Promise.resolve('done'), source)).toBe('done');
    expect(source.eventNames()).toEqual([]);
  });

  it('interruptible work stops listening when it fails by itself', async () => {
    const source = fakeProcess();
    await expect(interruptible(() => Promise.reject(new Error('no')), source)).rejects.toThrow('no');
    expect(source.eventNames()).toEqual([]);
  });
});

describe('waiting until a signal aborts', () => {
  it('waiting until a signal aborts gives what the promise gives, when that comes first', async () => {
    const { signal } = new AbortController();
    expect(await untilAborted(signal, Promise.resolve(7))).toBe(7);
    await expect(untilAborted(signal, Promise.reject(new Error('first')))).rejects.toThrow('first');
  });

  it('waiting until a signal aborts throws the reason at once for a signal that has aborted, and leaves no rejection unheard', async () => {
    const signal = AbortSignal.abort(new Error('too late'));
    await expect(untilAborted(signal, Promise.reject(new Error('unheard')))).rejects.toThrow('too late');
  });
});
