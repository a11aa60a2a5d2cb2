import { randomUUID } from 'node:crypto';
import type { Closing } from '#facts/closing';
import type { ObservedSpan } from '#facts/observed-span';
import type { EmitterAccount } from '../emitter-report.ts';
import type { Pushed, QueueListener, SpanBatch, SpanQueue } from '#processor/span-queue';
import { ArrivalSamples } from './arrival-samples.ts';
import { BooksFile } from './books/books-file.ts';
import { Ledger, type Emitter } from './books/ledger.ts';
import { OpenSteps } from './open-steps.ts';
import { Cursor, START } from './segments/cursor.ts';
import { ignoreErrors, SpoolWriter } from './spool-writer.ts';
import { RecordBatches } from './record-batches.ts';
import { RecordReader } from './segments/record-reader.ts';
import { listSegments } from './segments/segment-files.ts';
import { SegmentWriter, type SegmentWriterOptions } from './segments/segment-writer.ts';

/** Options of a spool. */
export interface SpoolOptions extends SegmentWriterOptions {
  readonly emitter: Emitter;
  readonly listener: QueueListener;
}

/** State of a dead process's spool, as `recoverSpool` reads it from the files. */
export interface RecoveredSpoolState {
  readonly ledger: Ledger;
  readonly open: OpenSteps;
  /** Records that were not delivered. */
  readonly undelivered: number;
  readonly lastWritten: number;
}

/** What is left in a spool when its process ends. */
export interface SpoolRemainder {
  readonly directory: string;
  /** Records that are not delivered. */
  readonly records: number;
  /** Steps that did not end. */
  readonly openSteps: number;
}

/**
 * Durable queue: a segmented, append-only log on disk with a cursor. A span is handed to the operating system before the
 * current turn of the event loop ends, and stays on disk until it is committed elsewhere. Delivery is at least once. Memory
 * does not grow with the backlog.
 *
 * @example
 * ```ts
 * import { RecordingSpanProcessor, Spool, type SpanSink, type SpoolOptions } from 'barograph';
 *
 * export const spooled = (sink: SpanSink, options: Omit<SpoolOptions, 'listener'>) =>
 *   new RecordingSpanProcessor({ sink, queue: (listener) => new Spool({ ...options, listener }) });
 * ```
 */
export class Spool implements SpanQueue {
  readonly #options: SpoolOptions;
  readonly #isOwn: boolean;
  readonly #segments: SegmentWriter;
  readonly #books: BooksFile;
  readonly #ledger: Ledger;
  readonly #open: OpenSteps;
  readonly #writer: SpoolWriter;
  readonly #reader: RecordReader;
  readonly #batches: RecordBatches;
  readonly #cursor: Cursor;
  readonly #arrivals = new ArrivalSamples();
  readonly #recoveredRecords: number;
  #oldestSegment = 0;
  #isClosed = false;
  #isFenced = false;

  /**
   * @param recovered state of a dead process, whose spool this one adopts; null for a spool of its own
   * @throws Error of the file system when the directory cannot be written
   */
  constructor(options: SpoolOptions, recovered: RecoveredSpoolState | null = null) {
    const { directory, listener } = options;
    const emitter = recovered === null ? { epoch: randomUUID(), ...options.emitter } : options.emitter;
    this.#options = options;
    this.#isOwn = recovered === null;
    this.#segments = new SegmentWriter(options);
    this.#books = new BooksFile(directory, emitter);
    this.#ledger = recovered?.ledger ?? new Ledger(emitter);
    this.#open = recovered?.open ?? new OpenSteps();
    const parts = { segments: this.#segments, books: this.#books, ledger: this.#ledger, open: this.#open };
    this.#writer = new SpoolWriter({ ...parts, listener });
    this.#cursor = new Cursor(directory);
    const from = recovered === null ? START : this.#cursor.read();
    this.#reader = new RecordReader(directory, { from, isClosed: recovered !== null });
    this.#recoveredRecords = recovered?.undelivered ?? 0;
    this.#batches = new RecordBatches({
      reader: this.#reader,
      ledger: this.#ledger,
      isOwn: this.#isOwn,
      size: () => this.size,
      lastWritten: () => Math.max(this.#writer.lastWritten, recovered?.lastWritten ?? 0),
      end: () => this.#segments.end,
    });
    this.#books.write(this.#ledger.state());
    // Preallocation: on a full disk neither file could be created.
    this.#cursor.write(from);
  }

  get size(): number {
    return this.#recoveredRecords + this.#writer.accepted - this.#batches.takenRecords;
  }

  get oldestQueuedAt(): number | null {
    return this.size === 0 ? null : this.#arrivals.arrivalOf(this.#batches.lastTaken + 1);
  }

  /** Whether no record was ever made, so that the emitter has nothing to report. */
  get isUnused(): boolean {
    return this.#ledger.lastSequence === 0;
  }

  /** Bytes of all segments. */
  get bytes(): number {
    return this.#segments.bytes;
  }

  /** Byte ranges of the segments that were damaged and skipped. */
  get damages(): number {
    return this.#reader.damagedRanges;
  }

  push(span: ObservedSpan, now: number): Pushed {
    if (this.#isClosed) return 'after_shutdown';
    if (this.#isFenced) return 'spool_failed';
    const pushed = this.#writer.accept(span);
    // A merged end keeps the arrival of its start.
    if (pushed === 'queued') this.#arrivals.add(this.#ledger.lastSequence, now);
    return pushed;
  }

  /** Writes the buffer at once, for a process that may exit before the microtask runs. */
  flushNow(): void {
    this.#writer.flush();
  }

  /** Never rejects. Damaged records are skipped and their numbers stay missing; on a transient read error the batch is held up. */
  async take(maxSpans: number): Promise<SpanBatch> {
    this.#writer.flush();
    const queuedAt = this.oldestQueuedAt ?? 0;
    const batch = await this.#batches.take(maxSpans);
    if (batch === null) return { spans: [], queuedAt, isHeldUp: true };
    const { spans, lost, isFull, account } = batch;
    if (lost > 0) this.#options.listener.dropped('spool_failed', lost);
    return { spans, queuedAt, isFull, account };
  }

  settle(): void {
    const committed = this.#isClosed ? null : this.#batches.settle();
    if (committed === null) return;
    ignoreErrors(() => {
      this.#cursor.write(committed);
      this.#compact(committed.segment);
      this.#writer.flushPending();
    });
  }

  /**
   * The account of the emitter without records: a heartbeat, or the final report of a spool that is drained. While a batch is
   * in flight it holds no runs: committed after the batch, their older counts would overwrite the newer ones.
   */
  account(isClosed = false): EmitterAccount {
    const state = { isOwn: this.#isOwn, isClosed };
    const isInFlight = this.#batches.inFlight > 0;
    const isLast = this.size === 0 && !isInFlight;
    const { account } = this.#ledger.account([], { from: 0, to: 0, isLast }, state);
    return isInFlight ? { ...account, runs: [] } : account;
  }

  /** Writes a synthetic end for every open step of the dead process, beyond the size limit if need be. @returns them */
  closeSteps(closing: Closing): readonly ObservedSpan[] {
    const closings = this.#writer.closeAll(closing);
    this.#writer.flushPending(true);
    return closings;
  }

  /** Fences the spool after the loss of its lock: another process owns the files, so every later push is dropped. */
  fence(): void {
    this.#isFenced = true;
  }

  close(): number {
    if (this.#isClosed) return 0;
    this.#isClosed = true;
    this.#writer.flush();
    ignoreErrors(() => this.#books.write(this.#ledger.state()));
    this.#segments.close();
    this.#cursor.close();
    this.#books.close();
    return 0;
  }

  /** The remainder; final after `close`. */
  get remainder(): SpoolRemainder {
    const records = this.size + this.#batches.inFlight + this.#writer.closingsToWrite;
    return { directory: this.#options.directory, records, openSteps: this.#open.size };
  }

  /** Compaction: removes segments before the cursor, oldest first, and rewrites the starts of running steps. */
  #compact(segment: number): void {
    const isAllDelivered = this.size === 0 && this.#batches.inFlight === 0;
    const isNeeded = isAllDelivered && this.#segments.bytes > this.#options.limitBytes / 2;
    // When all is delivered, the current segment is rotated, so that it can be removed as well.
    if (isNeeded) this.#segments.close();
    const before = isNeeded ? segment + 1 : segment;
    if (before <= this.#oldestSegment) return;
    for (const { number, bytes } of listSegments(this.#options.directory)) {
      this.#oldestSegment = number;
      if (number >= before || !this.#writer.rewriteOpenStarts(number)) return;
      this.#segments.remove(number, bytes);
    }
  }
}
