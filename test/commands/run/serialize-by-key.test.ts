import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { serializeByKey } from '#commands/run/serialize-by-key';

/** An async function whose results the test resolves. */
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

describe('serializeByKey', () => {
  it('calls run one after the other in the order of the requests', async () => {
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

  it('each key is made once, however often it is requested', async () => {
    const { begun, madeFor, end } = workshop();
    const both = [madeFor(1), madeFor(1)];
    expect(both[0]).toBe(both[1]);
    await turn();
    end(1);
    await Promise.all(both);
    expect(await madeFor(1)).toBe('made 1');
    expect(begun).toEqual([1]);
  });

  it('a failed call does not stop the next one', async () => {
    const { madeFor, end } = workshop();
    const [failing, next] = [madeFor(1), madeFor(2)];
    await turn();
    end(1, new Error('no'));
    await expect(failing).rejects.toThrow('no');
    await turn();
    end(2);
    expect(await next).toBe('made 2');
  });

  it('no call begins after the signal has aborted', async () => {
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
