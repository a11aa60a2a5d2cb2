import type { ObservedSpan } from '#facts/observed-span';
import { ByteWriter } from './format/byte-writer.ts';
import { beginFrame, endFrame, MAX_FRAME_BYTES, type RecordKind } from './format/frame.ts';
import type { RunIdentity } from './books/ledger.ts';
import type { OpenStep, SpanIds } from './open-steps.ts';
import { SpanEncoder } from './format/span-encoder.ts';

/** A record as the books know it. */
export interface NumberedRecord {
  readonly kind: Exclude<RecordKind, 'carried'>;
  /** Of its span. */
  readonly ids: SpanIds;
  readonly sequence: number;
  /** The run of its step; null when it names none, and where no book asks for it. */
  readonly run: RunIdentity | null;
  /** The step under way of which it is the start; null when it is none. */
  readonly start: OpenStep | null;
}

/** A buffered record, and where its frame lies in the bytes of the buffer. */
export interface PendingRecord extends NumberedRecord {
  readonly from: number;
  readonly to: number;
}

/** Group commit: buffers the records of one turn of the event loop, already encoded, for one write at its end. */
export class WriteBuffer {
  readonly #onOver: () => void;
  readonly #writer = new ByteWriter();
  readonly #encoder = new SpanEncoder(this.#writer);
  #records: PendingRecord[] = [];
  /** Offset of the frame whose span was encoded last. */
  #from = 0;
  #isInOrder = true;
  #isOverScheduled = false;

  /** `onOver` runs as a microtask, before any pending await continues. */
  constructor(onOver: () => void) {
    this.#onOver = onOver;
  }

  get size(): number {
    return this.#records.length;
  }

  /** Encodes a span, to be added or to replace its start. @throws Error when it cannot be encoded */
  encode(span: ObservedSpan): void {
    this.#from = beginFrame(this.#writer);
    try {
      this.#encoder.encode(span);
    } catch (error) {
      this.#writer.cutTo(this.#from);
      throw error;
    }
  }

  /** Adds the span that was encoded. */
  add(record: NumberedRecord): void {
    this.#records.push(this.#pendingOf(record));
    if (this.#isOverScheduled) return;
    this.#isOverScheduled = true;
    queueMicrotask(() => {
      this.#isOverScheduled = false;
      this.#onOver();
    });
  }

  /** Replaces a buffered start by the end that was encoded. */
  replace(at: number, record: NumberedRecord): void {
    this.#records[at] = this.#pendingOf(record);
    this.#isInOrder = false;
  }

  /** Drains the buffer; the bytes stay readable until `clear`. */
  take(): readonly PendingRecord[] {
    const records = this.#records;
    this.#records = [];
    return records;
  }

  /** The frames of drained records as they are written; null when one exceeds the largest frame that a reader accepts. */
  framesOf(records: readonly PendingRecord[]): readonly Buffer[] | null {
    if (records.some(isTooLarge)) return null;
    if (this.#isInOrder) return [this.#writer.slice(0, this.#writer.length)];
    return records.map(({ from, to }) => this.#writer.slice(from, to));
  }

  /** The frame of one drained record; null when it exceeds the largest frame that a reader accepts. */
  frameOf(record: PendingRecord): Buffer | null {
    return isTooLarge(record) ? null : this.#writer.slice(record.from, record.to);
  }

  /** Releases the bytes of drained records. */
  clear(): void {
    this.#writer.cutTo(0);
    this.#isInOrder = true;
  }

  #pendingOf(record: NumberedRecord): PendingRecord {
    const { kind, ids, sequence, run, start } = record;
    endFrame(this.#writer, this.#from, record);
    return { kind, ids, sequence, run, start, from: this.#from, to: this.#writer.length };
  }
}

const isTooLarge = ({ from, to }: PendingRecord): boolean => to - from > MAX_FRAME_BYTES;
