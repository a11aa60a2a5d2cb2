import type { RecordKind } from './frame.ts';
import type { RunKey } from './ledger.ts';

/** A record that waits for the end of the turn. */
export interface PendingRecord {
  readonly kind: Exclude<RecordKind, 'carried'>;
  /** Of its span. */
  readonly key: string;
  readonly sequence: number;
  readonly run: RunKey | null;
  readonly payload: Buffer;
}

/** The records of one turn of the event loop, until it is over. */
export class TurnRecords {
  readonly #onOver: () => void;
  #records: PendingRecord[] = [];
  /** Where among the records the start of a span waits. */
  readonly #starts = new Map<string, number>();
  #isOverScheduled = false;

  /** `onOver` is called before anything that awaits can go on. */
  constructor(onOver: () => void) {
    this.#onOver = onOver;
  }

  get size(): number {
    return this.#records.length;
  }

  add(record: PendingRecord): void {
    if (record.kind === 'started') this.#starts.set(record.key, this.#records.length);
    this.#records.push(record);
    if (this.#isOverScheduled) return;
    this.#isOverScheduled = true;
    queueMicrotask(() => {
      this.#isOverScheduled = false;
      this.#onOver();
    });
  }

  /** Puts the end of a span in the place of its start; false when that does not wait here. */
  replaceStart(key: string, payload: Buffer): boolean {
    const at = this.#starts.get(key);
    const start = at === undefined ? undefined : this.#records[at];
    if (at === undefined || start === undefined) return false;
    this.#records[at] = { ...start, kind: 'whole', payload };
    return true;
  }

  /** All of them, which wait here no longer. */
  take(): readonly PendingRecord[] {
    const records = this.#records;
    this.#records = [];
    this.#starts.clear();
    return records;
  }
}
