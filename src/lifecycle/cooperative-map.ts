import { setImmediate } from 'node:timers/promises';

/** Weight processed between two yields: a few milliseconds of work for any caller here. */
const WEIGHT_PER_TURN = 100;

/**
 * Cooperative scheduling: maps items in chunks and yields to the event loop between them. A batch of thousands must delay
 * neither a step nor a scrape. `weigh` gives the weight of an item that stands for many; 1 by default.
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
