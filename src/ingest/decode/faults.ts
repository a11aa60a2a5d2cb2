import { MalformedError } from '../http-error.ts';

/** Most faults whose texts are kept: a body may hold half a million of them. */
const LISTED_FAULTS = 5;

/** What is refused of a request: how many spans, and the first reasons. */
export class Faults {
  readonly #listed: string[] = [];
  #spans = 0;

  /** Spans that are refused. */
  get spans(): number {
    return this.#spans;
  }

  /** The first reasons, in the order in which they were found. */
  get listed(): readonly string[] {
    return this.#listed;
  }

  /** @param spans how many spans are refused for that reason */
  add(reason: string, spans = 1): void {
    this.#spans += spans;
    if (this.#listed.length < LISTED_FAULTS) this.#listed.push(reason);
  }

  /**
   * Reads one item of a body. What is malformed in it is a fault of that item, and the others are read.
   *
   * @param place names the item for its sender
   * @param spans how many spans are refused with it
   * @returns what was read; null for a fault
   */
  isolate<Item>(read: () => Item, place: () => string, spans: () => number = () => 1): Item | null {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      const isListed = this.#listed.length < LISTED_FAULTS;
      this.add(isListed ? `${place()}: ${error.fault}` : '', spans());
      return null;
    }
  }
}
