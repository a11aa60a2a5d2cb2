import type { Spool } from './spool.ts';

/** Who sends spans, and how much of the spool may wait for it. */
export interface Sender {
  /** The same for all requests with one token. */
  readonly name: string;
  readonly shareBytes: number;
}

/** Spans of one sender that wait in a spool. */
interface Waiting {
  readonly spool: Pick<Spool, 'progress'>;
  readonly sender: string;
  readonly bytes: number;
  /** Number of its last record. */
  readonly upTo: number;
}

/** How much of the spool waits for each sender, so that one of them cannot fill it for all. */
export class SenderShares {
  readonly #bytes = new Map<string, number>();
  /** In the order in which they were received, which is the order in which they are delivered. */
  #waiting: Waiting[] = [];

  /** Whether a sender has room. One that has nothing in the spool always has: a single request may exceed its share. */
  hasRoom({ name, shareBytes }: Sender): boolean {
    this.#releaseDelivered();
    return (this.#bytes.get(name) ?? 0) < shareBytes;
  }

  /** Counts what was just written to a spool. */
  add(spool: Waiting['spool'], sender: Sender, bytes: number): void {
    const { name } = sender;
    this.#bytes.set(name, (this.#bytes.get(name) ?? 0) + bytes);
    this.#waiting.push({ spool, sender: name, bytes, upTo: spool.progress.written });
  }

  #releaseDelivered(): void {
    const first = this.#waiting.findIndex(({ spool, upTo }) => spool.progress.delivered < upTo);
    const released = this.#waiting.splice(0, first === -1 ? this.#waiting.length : first);
    for (const { sender, bytes } of released) {
      const left = (this.#bytes.get(sender) ?? 0) - bytes;
      if (left > 0) this.#bytes.set(sender, left);
      else this.#bytes.delete(sender);
    }
  }
}
