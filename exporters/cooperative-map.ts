import { setImmediate } from 'node:timers/promises';

/** Weight of one slice: a few milliseconds for every caller. */
const WEIGHT_PER_TURN = 100;

/**
 * Cooperative map: yields to the event loop after every hundred items, so that a batch of thousands delays neither a
 * step nor a scrape. `weigh` gives the weight of an item that stands for many.
 *
 * @returns the results of `work`, in the order of the items
 */
export async function mapCooperatively<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Result,
  weigh: (item: Item) => number = () => 1,
): Promise<Result[]> {
  const results: Result[] = [];
  let weight = 0;
  for (const item of items) {
    if (weight >= WEIGHT_PER_TURN) {
      await setImmediate();
      weight = 0;
    }
    results.push(work(item));
    weight += weigh(item);
  }
  return results;
}
