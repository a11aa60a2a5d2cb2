import { randomUUID } from 'node:crypto';
import type { Closing } from '#facts/closing';
import type { ObservedSpan } from '#facts/observed-span';
import type { EmitterAccount } from '../emitter-report.ts';
import type { DropReason, Pushed, QueueListener, SpanBatch, SpanQueue } from '#processor/span-queue';
import { ArrivalSamples } from './arrival-samples.ts';
import { BooksFile } from './books/books-file.ts';
import { Ledger, type Emitter } from './books/ledger.ts';
import { OpenSteps, type SpanIds } from './open-steps.ts';
import { Cursor, START } from './segments/cursor.ts';
import { ignoreErrors } from './ignore-errors.ts';
import { CompactedLog } from './segments/compacted-log.ts';
import { SpoolWriter } from './spool-writer.ts';
import type { RecoveredSpoolState, SpoolLeftover } from './recovery/recovered-state.ts';
import { RecordBatches } from './record-batches.ts';
import { RecordReader } from './segments/record-reader.ts';
import type { UnreadableSegments } from './segments/segment-damage.ts';
import { SegmentWriter, type SegmentWriterOptions } from './segments/segment-writer.ts';
import { openTail, type TailWriter } from './segments/tail-file.ts';

/** Options of a spool. */
export interface SpoolOptions extends SegmentWriterOptions {
  readonly emitter: Emitter;
  readonly listener: QueueListener;
  /** Whether this process still has the lock of the directory; always, unless given. */
  readonly isHeld?: () => boolean;
}

/** Outcome of receiving spans of another program. */
export type Received = 'written' | DropReason;

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
  readonly isDurable = true;
  readonly #options: SpoolOptions;
  readonly #isOwn: boolean;
  readonly #segments: SegmentWriter;
  readonly #books: BooksFile;
  readonly #tail: TailWriter;
  readonly #ledger: Ledger;
  readonly #open: OpenSteps;
  readonly #log: CompactedLog;
  readonly #writer: SpoolWriter;
  readonly #reader: RecordReader;
  readonly #batches: RecordBatches;
  readonly #cursor: Cursor;
  readonly #arrivals = new ArrivalSamples();
  readonly #recovered: RecoveredSpoolState | null;
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
    this.#recovered = recovered;
    this.#segments = new SegmentWriter(options);
    this.#books = new BooksFile(directory, emitter);
    this.#ledger = recovered?.ledger ?? new Ledger(emitter);
    this.#open = recovered?.open ?? new OpenSteps();
    const parts = { segments: this.#segments, open: this.#open };
    this.#log = new CompactedLog({
      ...parts,
      options,
      isAllDelivered: () => this.size === 0 && this.#batches.inFlight === 0,
      unreadable: () => this.unreadable,
      onNewSegment: () => this.#writer.checkpoint(),
    });
    // Preallocation: on a full disk none of these files could be created.
    this.#tail = openTail(options, recovered?.tail ?? null);
    const [log, books, ledger, tail] = [this.#log, this.#books, this.#ledger, this.#tail];
    this.#writer = new SpoolWriter({ ...parts, log, books, ledger, tail, listener });
    this.#cursor = new Cursor(directory);
    const from = recovered === null ? START : this.#cursor.read();
    this.#reader = new RecordReader(directory, { from, isClosed: recovered !== null });
    this.#batches = new RecordBatches({
      reader: this.#reader,
      ledger: this.#ledger,
      isOwn: this.#isOwn,
      isHeld: options.isHeld ?? (() => true),
      size: () => this.size,
      lastWritten: () => Math.max(this.#writer.lastWritten, recovered?.lastWritten ?? 0),
      end: () => this.#segments.end,
    });
    this.#books.write(this.#ledger.state());
    this.#cursor.write(from);
    this.#segments.fillReserve();
  }

  get size(): number {
    return (this.#recovered?.undelivered ?? 0) + this.#writer.accepted - this.#batches.takenRecords;
  }

  get oldestQueuedAt(): number | null {
    return this.size === 0 ? null : this.#arrivals.arrivalOf(this.#batches.lastTaken + 1);
  }

  /** Whether its process makes no steps of its own and has made no record: it is in no book then. */
  get isIdle(): boolean {
    return this.#ledger.lastSequence === 0 && this.#ledger.emitter.isIdle === true;
  }

  /** Whether the disk refuses the books, so that only the database can keep the counts of what is dropped. */
  get isBookless(): boolean {
    return this.#writer.isBookless;
  }

  /** Bytes of all segments. */
  get bytes(): number {
    return this.#segments.bytes;
  }

  /** Segments of which something cannot be read: they are never removed, and the books stay open. */
  get unreadable(): UnreadableSegments {
    return new Map([...(this.#recovered?.unreadable ?? []), ...this.#reader.damage.unreadable]);
  }

  push(span: ObservedSpan, now: number): Pushed {
    if (this.#isClosed) return 'after_shutdown';
    if (this.#isFenced) return 'spool_failed';
    const pushed = this.#writer.accept(span);
    // A merged end keeps the arrival of its start.
    if (pushed === 'queued') this.#arrivals.add(this.#ledger.lastSequence, now);
    return pushed;
  }

  /** Takes spans of other programs, all or none; `synced` tells when they are on the disk. */
  receive(spans: readonly ObservedSpan[], now: number): Received {
    if (this.#isClosed) return 'after_shutdown';
    if (this.#isFenced) return 'spool_failed';
    const received = this.#writer.receive(spans);
    if (received === 'written') this.#arrivals.add(this.#ledger.lastSequence, now);
    return received;
  }

  /** Resolves when all that was written so far is on the disk, and would survive a loss of power. */
  synced(): Promise<void> {
    return this.#segments.synced();
  }

  /** The newest record, and the newest of those that are all delivered. */
  get progress(): { readonly written: number; readonly delivered: number } {
    return { written: this.#ledger.lastSequence, delivered: this.#ledger.deliveredSequence };
  }

  /** Writes the buffer at once, for a process that may exit before the microtask runs. */
  flushNow(): void {
    this.#writer.flush();
    this.#tail.writeNow();
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
    if (committed === null || this.#isFenced) return;
    ignoreErrors(() => {
      this.#cursor.write(committed);
      this.#log.compact(committed.segment);
      this.#writer.flushPending();
    });
  }

  /**
   * The account of the emitter without records: a heartbeat, or the final report of a spool that is drained. It closes the
   * books only when every record is known to have been read. While a batch is
   * in flight it holds no runs: committed after the batch, their older counts would overwrite the newer ones.
   */
  account(isClosed = false): EmitterAccount {
    const isWhole = this.unreadable.size === 0 && this.#recovered?.tail.isOpenEnd !== true;
    const state = { isOwn: this.#isOwn, isClosed: isClosed && isWhole };
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

  /** The span of a running step as it was at its start. */
  startOf(span: SpanIds): ObservedSpan | undefined {
    return this.#open.get(span)?.started;
  }

  /** Takes over the running steps of a spool that was lost. */
  carryOver({ open }: SpoolLeftover): void {
    this.#writer.carryOver(open.onDisk());
  }

  /** Whether the newest segment is still the one in its folder. */
  get isInPlace(): boolean {
    return this.#segments.isInPlace;
  }

  /** Writes off what waits, if its files are gone for good and nobody can deliver it any more. @returns how many records; null otherwise */
  writeOffIfGone(): number | null {
    const isThere = this.#segments.isLinked ?? this.#options.isHeld?.() ?? true;
    return isThere ? null : this.#ledger.writeOff([], 'spool_lost');
  }

  /** Fences the spool after the loss of its folder: every later push is dropped. @returns what can still be read of it */
  surrender(): SpoolLeftover {
    this.#writer.flush();
    this.#tail.leave();
    this.#isFenced = true;
    const [ledger, open, segments] = [this.#ledger, this.#open, this.#segments];
    return { ledger, open, segments, isWhole: this.unreadable.size === 0, queued: this.size };
  }

  close(): number {
    if (this.#isClosed) return 0;
    this.#isClosed = true;
    this.#writer.flush();
    this.#tail.writeDue();
    // The files of a lost folder belong to its adopter.
    const isHeld = !this.#isFenced && (this.#options.isHeld?.() ?? true);
    if (isHeld) ignoreErrors(() => this.#books.write(this.#ledger.state()));
    if (isHeld && this.#isOwn) this.#tail.markClosed();
    this.#segments.dispose();
    this.#tail.close();
    this.#cursor.close();
    this.#books.close();
    return 0;
  }

  /** The remainder; final after `close`. */
  get remainder(): SpoolRemainder {
    const records = this.size + this.#batches.inFlight + this.#writer.closingsToWrite;
    return { directory: this.#options.directory, records, openSteps: this.#open.size };
  }
}
