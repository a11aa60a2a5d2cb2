import { tooLarge } from '../http-error.ts';

/** Most spans, events, attributes and values of one request; 16 MiB of ordinary spans hold about half of it. */
export const MAX_ITEMS = 1_000_000;

/** Counts one item of a body. @throws HttpError 413 above the limit */
export type CountItem = () => void;

/** Amplification guard: a few bytes can decode to an object of a hundred, so the body limit does not bound memory. */
export function createItemLimit(maxItems = MAX_ITEMS): CountItem {
  let items = 0;
  return () => {
    items += 1;
    if (items > maxItems)
      throw tooLarge(`The body holds more than ${maxItems} spans, events and attribute values.`);
  };
}
