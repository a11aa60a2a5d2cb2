import { setImmediate } from 'node:timers/promises';

/** How much is done at once: some milliseconds of work for any of ours. */
const WEIGHT_PER_TURN = 100;

/**
 * Works through items a hundred at a time and lets the rest of the process have a turn in between: a batch of thousands
 * must hold up neither a step nor a scrape. An item may stand for many, `weigh` then says for how many.
 *
 * @returns what `work` gave, in the order of the items
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
