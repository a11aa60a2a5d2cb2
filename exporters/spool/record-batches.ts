import type { ObservedSpan } from '#facts/observed-span';
import type { EmitterAccount } from '../emitter-report.ts';
import { mapCooperatively } from '#lifecycle/cooperative-map';
import type { BookedRecord, Ledger, VersionedAccount } from './books/ledger.ts';
import type { Position } from './segments/cursor.ts';
import type { PlacedRecord, RecordReader } from './segments/record-reader.ts';
import { RunFinder } from './books/run-finder.ts';
import { SpanDecoder } from './format/span-decoder.ts';
import { toSpan } from './format/spool-record.ts';

/** Payload bytes at which a batch is full, whatever the number of its spans. */
const MAX_BATCH_BYTES = 4 * 1024 * 1024;

/** Collaborators of the batches. */
export interface RecordBatchesParts {
  readonly reader: RecordReader;
  readonly ledger: Ledger;
  readonly isOwn: boolean;
  /** Whether the folder is still ours; what cannot be read in one that is gone is not lost yet. */
  readonly isHeld: () => boolean;
  /** Records that are queued. */
  readonly size: () => number;
  /** Number of the newest record on disk that is to be delivered. */
  readonly lastWritten: () => number;
  /** Position of the next record to be written. */
  readonly end: () => Position;
}

/** A batch, as the spool hands it to the delivery. */
export interface TakenRecords {
  readonly spans: readonly ObservedSpan[];
  /** Records that are missing or cannot be decoded. */
  readonly lost: number;
  /** It has reached a limit, in records or bytes. */
  readonly isFull: boolean;
  readonly account: (from: number, to: number) => EmitterAccount;
}

/** A batch in flight, as it is needed when it is settled. */
interface TakenBatch {
  readonly records: readonly BookedRecord[];
  readonly end: Position;
  /** Records that it consumed, those without a span included. */
  readonly size: number;
  /** The account that was exported last with a part of it; the books are advanced to it once the batch is settled. */
  lastAccount: VersionedAccount | null;
}

const bytesOf = (records: readonly PlacedRecord[]): number =>
  records.reduce((sum, { frame }) => sum + frame.payload.length, 0);

/**
 * Reads the records of a spool in batches. The account of each part of a batch states the counts as they are once that part
 * is committed, because both are written in one transaction.
 */
export class RecordBatches {
  readonly #parts: RecordBatchesParts;
  readonly #decoder = new SpanDecoder();
  readonly #runs = new RunFinder();
  /** Batches in flight, oldest first. */
  readonly #taken: TakenBatch[] = [];
  #takenRecords = 0;
  #lastTaken = 0;

  constructor(parts: RecordBatchesParts) {
    this.#parts = parts;
  }

  /** Records taken so far. */
  get takenRecords(): number {
    return this.#takenRecords;
  }

  /** Number of the newest record taken. */
  get lastTaken(): number {
    return this.#lastTaken;
  }

  /** Records of the batches in flight. */
  get inFlight(): number {
    return this.#taken.reduce((sum, { size }) => sum + size, 0);
  }

  /** Takes up to `maxRecords` of the next records; null when they cannot be read now. */
  async take(maxRecords: number): Promise<TakenRecords | null> {
    const { reader, size: waiting, end, isHeld } = this.#parts;
    const read = this.#read(maxRecords);
    if (read.length === 0 && (reader.isHeldUp || !isHeld())) return null;
    const delivered = read.filter(({ frame }) => frame.kind !== 'carried');
    const found = (await mapCooperatively(delivered, (record) => this.#toBooked(record))).flat();
    const records = found.map(({ booked }) => booked);
    // The reader is at the end, so records that are still counted as queued were damaged.
    const size = read.length === 0 ? waiting() : delivered.length;
    const taken: TakenBatch = { records, end: read.at(-1)?.end ?? end(), size, lastAccount: null };
    this.#takenRecords += size;
    this.#lastTaken = records.at(-1)?.sequence ?? this.#lastTaken;
    this.#taken.push(taken);
    return {
      spans: found.map(({ span }) => span),
      lost: size - found.length,
      isFull: read.length === maxRecords || bytesOf(read) >= MAX_BATCH_BYTES,
      account: (from, to) => this.#accountFor(taken, from, to),
    };
  }

  /** Acknowledges the oldest batch. @returns the position up to which all records are committed; null without a batch */
  settle(): Position | null {
    const taken = this.#taken.shift();
    if (taken === undefined) return null;
    if (taken.lastAccount !== null) this.#parts.ledger.confirm(taken.records, taken.lastAccount);
    return taken.end;
  }

  /** Skips reads that hold only `carried` starts: those are copies made by compaction. */
  #read(maxRecords: number): readonly PlacedRecord[] {
    for (;;) {
      const read = this.#parts.reader.next({ maxRecords, maxBytes: MAX_BATCH_BYTES });
      if (read.length === 0 || read.some(({ frame }) => frame.kind !== 'carried')) return read;
    }
  }

  #accountFor(taken: TakenBatch, from: number, to: number): EmitterAccount {
    const { ledger, isOwn, lastWritten } = this.#parts;
    const isLast =
      to === taken.records.length && (taken.records[to - 1]?.sequence ?? lastWritten()) >= lastWritten();
    taken.lastAccount = ledger.account(taken.records, { from, to, isLast }, { isOwn, isClosed: false });
    return taken.lastAccount.account;
  }

  #toBooked({
    frame,
    end,
  }: PlacedRecord): readonly { readonly span: ObservedSpan; readonly booked: BookedRecord }[] {
    const span = toSpan(frame, this.#decoder);
    if (span === null) {
      this.#parts.reader.damage.mark(end.segment, 'records that cannot be decoded');
      return [];
    }
    // Whoever made a received span counts it.
    if (frame.kind === 'received')
      return [{ span, booked: { sequence: frame.sequence, run: null, isFirst: false } }];
    const isFirst = frame.kind === 'started' || frame.kind === 'whole';
    return [{ span, booked: { sequence: frame.sequence, run: this.#runs.runOf(span), isFirst } }];
  }
}
