import type { ObservedSpan } from '#facts/observed-span';
import { ByteWriter } from './format/byte-writer.ts';
import { beginFrame, endFrame, MAX_FRAME_BYTES, type RecordKind } from './format/frame.ts';
import type { RunIdentity } from './books/ledger.ts';
import type { OpenStep, SpanIds } from './open-steps.ts';
import { SpanEncoder } from './format/span-encoder.ts';

/** A record with its number, before it is encoded. */
export interface NumberedRecord {
  readonly kind: Exclude<RecordKind, 'carried' | 'received'>;
  /** Identity of its span. */
  readonly ids: SpanIds;
  readonly sequence: number;
  /** The run of its step; null when the span names none, or when the books do not need it. */
  readonly run: RunIdentity | null;
  /** The open step whose start this is; null for other records. */
  readonly start: OpenStep | null;
}

/** A buffered record with the byte range of its frame, `to` excluded. */
export interface PendingRecord extends NumberedRecord {
  readonly from: number;
  readonly to: number;
}

/**
 * Group-commit buffer: the records of one turn of the event loop, encoded as they arrive. A microtask flushes it, which runs
 * before any continuation that awaits I/O.
 */
export class WriteBuffer {
  readonly #onFlush: () => void;
  readonly #writer = new ByteWriter();
  readonly #encoder = new SpanEncoder(this.#writer);
  #records: PendingRecord[] = [];
  /** Offset of the frame that was encoded last. */
  #from = 0;
  #isInOrder = true;
  #isFlushScheduled = false;

  /** @param onFlush called in a microtask after the first `add` of a turn */
  constructor(onFlush: () => void) {
    this.#onFlush = onFlush;
  }

  get size(): number {
    return this.#records.length;
  }

  /** Encodes a span for a following `add` or `replace`. @throws Error when it cannot be encoded; the buffer is unchanged */
  encode(span: ObservedSpan): void {
    this.#from = beginFrame(this.#writer);
    try {
      this.#encoder.encode(span);
    } catch (error) {
      this.#writer.cutTo(this.#from);
      throw error;
    }
  }

  /** Appends the encoded span as a record. */
  add(record: NumberedRecord): void {
    this.#records.push(this.#pendingOf(record));
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    queueMicrotask(() => {
      this.#isFlushScheduled = false;
      this.#onFlush();
    });
  }

  /** Replaces the record at an index, a start, by the encoded end. The bytes of the start stay behind as garbage. */
  replace(at: number, record: NumberedRecord): void {
    this.#records[at] = this.#pendingOf(record);
    this.#isInOrder = false;
  }

  /** Removes and returns all records; their bytes stay valid until `clear`. */
  take(): readonly PendingRecord[] {
    const records = this.#records;
    this.#records = [];
    return records;
  }

  /** The frames of the taken records, in one chunk when nothing was replaced; null when one exceeds `MAX_FRAME_BYTES`. */
  framesOf(records: readonly PendingRecord[]): readonly Buffer[] | null {
    if (records.some(isTooLarge)) return null;
    if (this.#isInOrder) return [this.#writer.slice(0, this.#writer.length)];
    return records.map(({ from, to }) => this.#writer.slice(from, to));
  }

  /** The frame of one taken record; null when it exceeds `MAX_FRAME_BYTES`. */
  frameOf(record: PendingRecord): Buffer | null {
    return isTooLarge(record) ? null : this.#writer.slice(record.from, record.to);
  }

  /** Discards the bytes of the taken records. */
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
