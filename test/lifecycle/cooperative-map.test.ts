import { describe, expect, it } from 'vitest';
import { mapCooperatively } from '#lifecycle/cooperative-map';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

describe('mapCooperatively', () => {
  it('the results are in the order of the items, whatever their number', async () => {
    for (const count of [0, 1, 100, 101, 1234])
      expect(await mapCooperatively(numbers(count), (number) => number * 2)).toEqual(
        numbers(count).map((number) => number * 2),
      );
  });

  it('other callbacks of the event loop run after each hundred items', async () => {
    let done = 0;
    const seen = new Set<number>();
    const look = (): void => {
      seen.add(done);
      if (done < 350) setImmediate(look);
    };
    setImmediate(look);
    await mapCooperatively(numbers(350), () => (done += 1));
    expect([...seen]).toEqual(expect.arrayContaining([100, 200, 300]));
  });

  it('an error of the work rejects the whole map', async () => {
    const fail = (): never => {
      throw new Error('no');
    };
    await expect(mapCooperatively([1], fail)).rejects.toThrow('no');
  });
});
