import type { ObservedSpan } from '#facts/observed-span';
import type { Budget } from '#http/doors';
import { busy, type HttpError, tooLarge } from '../http-error.ts';

/** Most spans, events, attributes and values of one request; 16 MiB of ordinary spans hold about half of it. */
export const MAX_ITEMS = 1_000_000;
/** Most spans of one request, ours or not: 16 MiB of ordinary ones. Of empty ones it would hold millions, and keep all others waiting. */
export const MAX_SPANS = 50_000;
/** Items that are taken from the common budget at once. */
const ITEMS_AT_ONCE = 1000;
const RETRY_AFTER_SECONDS = 1;

export const tooManySpans = (): HttpError => tooLarge(`The body holds more than ${MAX_SPANS} spans.`);

/** Counts one item of a body. @throws HttpError 413 above the limit, 503 when other requests have used up the budget */
export type CountItem = () => void;

/**
 * Amplification guard: a few bytes can decode to an object of a hundred, so the body limit does not bound memory, and
 * neither does a limit for each request alone.
 */
export class ItemLimit {
  readonly #budget: Budget;
  #spans = 0;
  #read = 0;
  #held = 0;
  #taken = 0;

  /** @param budget that all requests share */
  constructor(budget: Budget = { reserve: () => true, release: () => undefined }) {
    this.#budget = budget;
  }

  readonly count: CountItem = () => {
    this.#read += 1;
    this.#held += 1;
    if (this.#read > MAX_ITEMS)
      throw tooLarge(`The body holds more than ${MAX_ITEMS} spans, events and attribute values.`);
    if (this.#held <= this.#taken) return;
    if (!this.#budget.reserve(ITEMS_AT_ONCE)) throw busy('Too many spans at once.', RETRY_AFTER_SECONDS);
    this.#taken += ITEMS_AT_ONCE;
  };

  /** Reads a span and holds it when it is wanted; its items do not count when it is not, or cannot be read. */
  hold(
    {
      spans,
      isWanted,
    }: { readonly spans: ObservedSpan[]; readonly isWanted: (span: ObservedSpan) => boolean },
    read: () => ObservedSpan,
  ): void {
    this.#spans += 1;
    if (this.#spans > MAX_SPANS) throw tooManySpans();
    const before = this.#held;
    let isHeld = false;
    try {
      const span = read();
      isHeld = isWanted(span);
      if (isHeld) spans.push(span);
    } finally {
      if (!isHeld) this.#held = before;
    }
  }

  /** Gives everything back, once the request is answered. */
  release(): void {
    this.#budget.release(this.#taken);
    this.#taken = 0;
  }
}
