import type { Closing } from '#facts/closing';
import type { ObservedSpan } from '#facts/observed-span';
import type { EmitterAccount } from '../emitter-report.ts';
import type { Pushed, QueueListener, SpanBatch, SpanQueue } from '#processor/span-queue';
import { ArrivalTimes } from './arrival-samples.ts';
import { BooksFile } from './books/books-file.ts';
import { Ledger, type Emitter } from './books/ledger.ts';
import { OpenSteps } from './open-steps.ts';
import { Cursor, START } from './segments/cursor.ts';
import { ignoreErrors, SpoolWriter } from './spool-writer.ts';
import { RecordBatches } from './record-batches.ts';
import { RecordReader } from './segments/record-reader.ts';
import { listSegments } from './segments/segment-files.ts';
import { SegmentWriter, type SegmentWriterOptions } from './segments/segment-writer.ts';

/** How a spool is opened. */
export interface SpoolOptions extends SegmentWriterOptions {
  readonly emitter: Emitter;
  readonly listener: QueueListener;
}

/** What a process left behind, as `inheritSpool` found it. */
export interface RecoveredSpoolState {
  readonly ledger: Ledger;
  readonly open: OpenSteps;
  /** Records that were not delivered. */
  readonly undelivered: number;
  readonly lastKept: number;
}

/** What a spool still holds when its process ends. */
export interface SpoolRemainder {
  readonly directory: string;
  /** Records that wait to be delivered. */
  readonly records: number;
  /** Steps that did not end. */
  readonly openSteps: number;
}

/**
 * Durable span queue on disk (write-ahead): a span is written to the operating system before the event loop turns, and
 * stays until the sink has committed it, even when this process is killed. Memory does not grow with the backlog. Sizes
 * are bytes; a span that finds no room is dropped and counted, never an error of the step.
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
  readonly #arrivals = new ArrivalTimes();
  readonly #inherited: number;
  #oldestSegment = 0;
  #isClosed = false;
  #isFenced = false;

  /** @throws Error of the file system when the directory cannot be written */
  constructor(options: SpoolOptions, recovered: RecoveredSpoolState | null = null) {
    const { directory, emitter, listener } = options;
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
    this.#inherited = recovered?.undelivered ?? 0;
    this.#batches = new RecordBatches({
      reader: this.#reader,
      ledger: this.#ledger,
      isOwn: this.#isOwn,
      size: () => this.size,
      newest: () => Math.max(this.#writer.lastKept, recovered?.lastKept ?? 0),
      end: () => this.#segments.end,
    });
    this.#books.write(this.#ledger.state());
    // Both files are there from the beginning: on a full disk none could be made.
    this.#cursor.write(from);
  }

  get size(): number {
    return this.#inherited + this.#writer.accepted - this.#batches.takenRecords;
  }

  get oldestQueuedAt(): number | null {
    return this.size === 0 ? null : this.#arrivals.of(this.#batches.lastTaken + 1);
  }

  /** Whether no record was ever made: then there is nothing to report about this emitter. */
  get isUnused(): boolean {
    return this.#ledger.lastSequence === 0;
  }

  /** Bytes on disk. */
  get bytes(): number {
    return this.#segments.bytes;
  }

  /** Stretches of the files that held no record. */
  get damages(): number {
    return this.#reader.damages;
  }

  push(span: ObservedSpan, now: number): Pushed {
    if (this.#isClosed) return 'after_shutdown';
    if (this.#isFenced) return 'spool_failed';
    const pushed = this.#writer.accept(span);
    // An end that took the place of its start is as old as the start.
    if (pushed === 'queued') this.#arrivals.add(this.#ledger.lastSequence, now);
    return pushed;
  }

  /** Writes what waits for the end of the turn; for a process that may not live to see it. */
  flushNow(): void {
    this.#writer.flush();
  }

  /** Never rejects: what cannot be read is passed over, and its numbers stay missing; what cannot be read now waits. */
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
    const safe = this.#isClosed ? null : this.#batches.settle();
    if (safe === null) return;
    ignoreErrors(() => {
      this.#cursor.write(safe);
      this.#reclaim(safe.segment);
      this.#writer.flushPending();
    });
  }

  /**
   * What the emitter says now, with no record: a sign of life, and its last word when everything was delivered. While
   * a batch is on its way it is silent on runs: what is told with the batch would be overruled by what was true before
   * it.
   */
  account(isClosed = false): EmitterAccount {
    const state = { isOwn: this.#isOwn, isClosed };
    const isUnderWay = this.#batches.underWay > 0;
    const isLast = this.size === 0 && !isUnderWay;
    const { account } = this.#ledger.account([], { from: 0, to: 0, isLast }, state);
    return isUnderWay ? { ...account, runs: [] } : account;
  }

  /** Closes all steps that its dead process left, as far as there is room or not. @returns their closings */
  closeSteps(closing: Closing): readonly ObservedSpan[] {
    const closings = this.#writer.closeAll(closing);
    this.#writer.flushPending(true);
    return closings;
  }

  /** Takes no more, and counts what comes: another process believes that this one is dead, and has the files now. */
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

  /** What is left, after `close`. */
  get remainder(): SpoolRemainder {
    const records = this.size + this.#batches.underWay + this.#writer.closingsToWrite;
    return { directory: this.#options.directory, records, openSteps: this.#open.size };
  }

  /** Removes segments that are behind the cursor, oldest first; the starts of running steps move on. */
  #reclaim(segment: number): void {
    const isAllDelivered = this.size === 0 && this.#batches.underWay === 0;
    const isNeeded = isAllDelivered && this.#segments.bytes > this.#options.limitBytes / 2;
    // When all is delivered, the file that is being written can go as well.
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
