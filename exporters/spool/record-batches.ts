import type { ObservedSpan } from '#facts/observed-span';
import type { EmitterAccount } from '../emitter-report.ts';
import { mapCooperatively } from '../cooperative-map.ts';
import type { Frame } from './format/frame.ts';
import type { BookedRecord, Ledger, AccountReport } from './books/ledger.ts';
import type { Position } from './segments/cursor.ts';
import type { PlacedRecord, RecordReader } from './segments/record-reader.ts';
import { RunFinder } from './books/run-finder.ts';
import { SpanDecoder } from './format/span-decoder.ts';
import { toSpan } from './format/spool-record.ts';

/** Bytes of one batch after which it is full, whatever the number of its spans. */
const MAX_BATCH_BYTES = 4 * 1024 * 1024;

/** What batches are made of. */
export interface RecordBatchesParts {
  readonly reader: RecordReader;
  readonly ledger: Ledger;
  readonly isOwn: boolean;
  /** Records that wait. */
  readonly size: () => number;
  /** Number of the newest record that is to be delivered. */
  readonly newest: () => number;
  /** Where the next record will stand. */
  readonly end: () => Position;
}

/** A batch as it was taken. */
export interface TakenRecords {
  readonly spans: readonly ObservedSpan[];
  /** Records that should be there and are not, or are none. */
  readonly lost: number;
  /** It holds as much as a batch may, by number or by bytes. */
  readonly isFull: boolean;
  readonly account: (from: number, to: number) => EmitterAccount;
}

/** A batch that was taken, as it is settled. */
interface TakenBatch {
  readonly records: readonly BookedRecord[];
  readonly end: Position;
  /** Records of the spool that went into it, those without a span included. */
  readonly size: number;
  report: AccountReport | null;
}

const bytesOf = (records: readonly PlacedRecord[]): number =>
  records.reduce((sum, { frame }) => sum + frame.payload.length, 0);

/**
 * Reads the records of a spool in batches, and gives for each part of a batch the report that holds once it is
 * durable.
 */
export class RecordBatches {
  readonly #parts: RecordBatchesParts;
  readonly #decoder = new SpanDecoder();
  readonly #runs = new RunFinder();
  /** Not settled, oldest first. */
  readonly #taken: TakenBatch[] = [];
  #takenRecords = 0;
  #lastTaken = 0;

  constructor(parts: RecordBatchesParts) {
    this.#parts = parts;
  }

  /** Records that were taken so far. */
  get takenRecords(): number {
    return this.#takenRecords;
  }

  /** Number of the newest of them. */
  get lastTaken(): number {
    return this.#lastTaken;
  }

  /** Records of the batches that are not settled. */
  get underWay(): number {
    return this.#taken.reduce((sum, { size }) => sum + size, 0);
  }

  /** The next records, at most so many; null when they cannot be read now. */
  async take(maxRecords: number): Promise<TakenRecords | null> {
    const { reader, size: waiting, end } = this.#parts;
    const read = await this.#read(maxRecords);
    if (read.length === 0 && reader.isHeldUp) return null;
    const delivered = read.filter(({ frame }) => frame.kind !== 'carried');
    const found = (await mapCooperatively(delivered, ({ frame }) => this.#toBooked(frame))).flat();
    const records = found.map(({ booked }) => booked);
    // The reader is at the end: what should be there and is not was damaged.
    const size = read.length === 0 ? waiting() : delivered.length;
    const taken: TakenBatch = { records, end: read.at(-1)?.end ?? end(), size, report: null };
    this.#takenRecords += size;
    this.#lastTaken = records.at(-1)?.sequence ?? this.#lastTaken;
    this.#taken.push(taken);
    return {
      spans: found.map(({ span }) => span),
      lost: size - found.length,
      isFull: read.length === maxRecords || bytesOf(read) >= MAX_BATCH_BYTES,
      account: (from, to) => this.#tell(taken, from, to),
    };
  }

  /** The oldest batch is where it belongs. @returns up to where all is safe now; null when there was no batch */
  settle(): Position | null {
    const taken = this.#taken.shift();
    if (taken === undefined) return null;
    if (taken.report !== null) this.#parts.ledger.confirm(taken.records, taken.report);
    return taken.end;
  }

  /** Starts that were only written once more are passed over. */
  async #read(maxRecords: number): Promise<readonly PlacedRecord[]> {
    for (;;) {
      const read = await this.#parts.reader.next({ maxRecords, maxBytes: MAX_BATCH_BYTES });
      if (read.length === 0 || read.some(({ frame }) => frame.kind !== 'carried')) return read;
    }
  }

  #tell(taken: TakenBatch, from: number, to: number): EmitterAccount {
    const { ledger, isOwn, newest } = this.#parts;
    const isLast = to === taken.records.length && (taken.records[to - 1]?.sequence ?? newest()) >= newest();
    taken.report = ledger.account(taken.records, { from, to, isLast }, { isOwn, isClosed: false });
    return taken.report.account;
  }

  #toBooked(frame: Frame): readonly { readonly span: ObservedSpan; readonly booked: BookedRecord }[] {
    const span = toSpan(frame, this.#decoder);
    if (span === null) return [];
    const isFirst = frame.kind === 'started' || frame.kind === 'whole';
    return [{ span, booked: { sequence: frame.sequence, run: this.#runs.runOf(span), isFirst } }];
  }
}
