import { tooLarge } from '../http-error.ts';

/** Most spans, events, attributes and values of one request: some 16 MiB of ordinary spans hold half of it. */
export const MAX_ITEMS = 1_000_000;

/** Counts one thing that a body holds. @throws Refusal when they are too many */
export type CountItem = () => void;

/** A few bytes can stand for an object of a hundred, so what bounds a body does not bound what is made of it. */
export function createItemLimit(maxItems = MAX_ITEMS): CountItem {
  let items = 0;
  return () => {
    items += 1;
    if (items > maxItems)
      throw tooLarge(`The body holds more than ${maxItems} spans, events and attribute values.`);
  };
}
