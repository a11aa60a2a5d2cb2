import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { serializeByKey } from '#commands/run/serialize-by-key';

/** Makes of a number something that is done when the test says so. */
function workshop(signal = new AbortController().signal) {
  const begun: number[] = [];
  const ends = new Map<number, (error?: Error) => void>();
  const make = (subject: { readonly id: number }): Promise<string> => {
    begun.push(subject.id);
    return new Promise((resolve, reject) => {
      ends.set(subject.id, (error) => (error === undefined ? resolve(`made ${subject.id}`) : reject(error)));
    });
  };
  const madeFor = serializeByKey(make, ({ id }) => id, { signal });
  return {
    begun,
    madeFor: (id: number) => madeFor({ id }),
    end: (id: number, error?: Error) => ends.get(id)?.(error),
  };
}

describe('making one at a time', () => {
  it('making one at a time begins the next when the one before is done, in the order in which they were asked for', async () => {
    const { begun, madeFor, end } = workshop();
    const made = [madeFor(3), madeFor(1), madeFor(2)];
    await turn();
    expect(begun).toEqual([3]);
    end(3);
    expect(await made[0]).toBe('made 3');
    await turn();
    expect(begun).toEqual([3, 1]);
    end(1);
    await made[1];
    await turn();
    end(2);
    expect(await made[2]).toBe('made 2');
  });

  it('making one at a time makes each thing once, however often it is asked for', async () => {
    const { begun, madeFor, end } = workshop();
    const both = [madeFor(1), madeFor(1)];
    expect(both[0]).toBe(both[1]);
    await turn();
    end(1);
    await Promise.all(both);
    expect(await madeFor(1)).toBe('made 1');
    expect(begun).toEqual([1]);
  });

  it('making one at a time goes on with the next when one could not be made', async () => {
    const { madeFor, end } = workshop();
    const [failing, next] = [madeFor(1), madeFor(2)];
    await turn();
    end(1, new Error('no'));
    await expect(failing).rejects.toThrow('no');
    await turn();
    end(2);
    expect(await next).toBe('made 2');
  });

  it('making one at a time begins nothing more once its signal has aborted', async () => {
    const controller = new AbortController();
    const { begun, madeFor, end } = workshop(controller.signal);
    const [first, second] = [madeFor(1), madeFor(2)];
    await turn();
    controller.abort(new Error('closed'));
    end(1);
    expect(await first).toBe('made 1');
    await expect(second).rejects.toThrow('closed');
    expect(begun).toEqual([1]);
  });
});
