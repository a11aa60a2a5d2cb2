import type { Closing } from '#facts/closing';
import type { ObservedSpan } from '#facts/observed-span';
import type { DropReason, QueueListener } from '#processor/span-queue';
import type { BooksFile } from './books/books-file.ts';
import type { Ledger } from './books/ledger.ts';
import type { OpenStep, OpenSteps } from './open-steps.ts';
import { PendingClosings } from './pending-closings.ts';
import { RunFinder } from './books/run-finder.ts';
import type { CompactedLog } from './segments/compacted-log.ts';
import type { Appended, SegmentWriter } from './segments/segment-writer.ts';
import type { TailWriter } from './segments/tail-file.ts';
import { toFrame, toPayload, toReceivedFrames } from './format/spool-record.ts';
import { type NumberedRecord, type PendingRecord, WriteBuffer } from './write-buffer.ts';

/** Collaborators of the writer. */
export interface SpoolWriterParts {
  readonly segments: SegmentWriter;
  readonly log: CompactedLog;
  readonly books: BooksFile;
  readonly tail: TailWriter;
  readonly ledger: Ledger;
  readonly open: OpenSteps;
  readonly listener: QueueListener;
}

/**
 * Writes the records of spans with group commit: the records of one turn of the event loop are written together by a
 * microtask. Write-ahead: nothing outside the process can learn of a step before the operating system has its record.
 *
 * Records that do not fit are dropped and counted. A step whose end is dropped while its start is on disk gets a synthetic
 * end as soon as there is room again.
 */
export class SpoolWriter {
  readonly #parts: SpoolWriterParts;
  readonly #buffer = new WriteBuffer(() => this.flush());
  readonly #pendingClosings = new PendingClosings();
  readonly #runs = new RunFinder();
  #written = 0;
  #lastWritten = 0;
  /** Runs of which the books on disk know. */
  #checkpointedRuns: number;
  #isBookless = false;

  constructor(parts: SpoolWriterParts) {
    this.#parts = parts;
    this.#checkpointedRuns = parts.ledger.runs;
  }

  /** Records accepted so far, written or buffered. */
  get accepted(): number {
    return this.#written + this.#buffer.size;
  }

  /** Number of the newest record on disk; copies made by compaction do not count. */
  get lastWritten(): number {
    return this.#lastWritten;
  }

  /** Whether the books could not be written, so that only memory knows of the newest drops. */
  get isBookless(): boolean {
    return this.#isBookless;
  }

  get closingsToWrite(): number {
    return this.#pendingClosings.size;
  }

  /** Accepts a span. An end in the same turn as its start replaces it in the buffer, so both are one record. */
  accept(span: ObservedSpan): 'queued' | 'merged' {
    this.#buffer.encode(span);
    return span.phase === 'started' ? this.#acceptStart(span) : this.#acceptEnd(span);
  }

  #acceptStart(span: ObservedSpan): 'queued' {
    const { ledger, open } = this.#parts;
    const run = this.#runs.runOf(span);
    ledger.start(run);
    const sequence = ledger.nextSequence();
    const bufferIndex = this.#buffer.size;
    const start = { started: span, sequence, run, bufferIndex, segment: null, dropped: null };
    open.set(start);
    this.#buffer.add({ kind: 'started', ids: span, sequence, run, start });
    return 'queued';
  }

  #acceptEnd(span: ObservedSpan): 'queued' | 'merged' {
    const { ledger, open } = this.#parts;
    const known = open.get(span);
    if (known !== undefined && known.bufferIndex !== null) {
      const { sequence, run, bufferIndex } = known;
      open.delete(span);
      this.#buffer.replace(bufferIndex, { kind: 'whole', ids: span, sequence, run, start: null });
      return 'merged';
    }
    const isFirst = known === undefined || known.dropped !== null;
    const run = isFirst ? this.#runs.runOf(span) : null;
    if (known === undefined) ledger.start(run);
    const sequence = ledger.nextSequence();
    this.#buffer.add({ kind: isFirst ? 'whole' : 'ended', ids: span, sequence, run, start: null });
    return 'queued';
  }

  /** Appends spans of other programs, all or none: their sender keeps them until it hears that they are kept here. */
  receive(spans: readonly ObservedSpan[]): Appended | 'too_large' {
    this.flush();
    const { ledger } = this.#parts;
    const frames = toReceivedFrames(ledger.lastSequence + 1, spans);
    if (frames === null) return 'too_large';
    const appended = this.#parts.log.append([frames]);
    if (appended !== 'written') return appended;
    for (let index = 0; index < spans.length; index += 1) this.#count({ sequence: ledger.nextSequence() });
    this.#noteTail();
    return 'written';
  }

  /** Group commit: writes the buffered records in one call, or one by one when that fails, so that some may fit. */
  flush(): void {
    const group = this.#buffer.take();
    if (group.length === 0) return;
    const frames = this.#buffer.framesOf(group);
    if (frames !== null && this.#parts.log.append(frames) === 'written') {
      for (const record of group) this.#markWritten(record);
      this.#noteTail();
    } else this.#writeEach(group);
    this.#buffer.clear();
    // The books name a new run at once: if its records are lost, their missing numbers show at the run.
    if (this.#parts.ledger.runs > this.#checkpointedRuns) this.checkpoint();
  }

  /** Queues a synthetic end for every step whose start is on disk; `flushPending` writes them. */
  closeAll(closing: Closing): readonly ObservedSpan[] {
    return this.#parts.open.onDisk().map((start) => this.#pendingClosings.enqueue(start, closing));
  }

  /** Writes the pending closings as far as there is room. @param mayExceedLimit ignores the size limit */
  flushPending(mayExceedLimit = false): void {
    // Buffered records have lower numbers, and the order on disk is the order of the numbers.
    this.flush();
    const { ledger } = this.#parts;
    for (let span = this.#pendingClosings.first; span !== undefined; span = this.#pendingClosings.first) {
      const sequence = ledger.lastSequence + 1;
      const run = this.#runs.runOf(span);
      const record = { kind: 'closed', ids: span, sequence, run, start: null } as const;
      const frame = toFrame('closed', sequence, toPayload(span));
      if (frame !== null && this.#parts.log.append([frame], mayExceedLimit) !== 'written') return;
      this.#pendingClosings.removeFirst();
      ledger.nextSequence();
      this.#parts.listener.added(1);
      if (frame === null) this.#dropClosing(record);
      else {
        this.#markEndWritten(record);
        this.#noteTail();
      }
    }
  }

  /** Takes over running steps of an earlier emitter: their starts are written here again, and count there. */
  carryOver(steps: readonly OpenStep[]): void {
    for (const step of steps) this.#parts.open.set({ ...step, bufferIndex: null, segment: 0 });
    this.#parts.log.rewriteOpenStarts(0);
  }

  /** Checkpoint of the books. At each new segment, too: a removed one cannot be counted again from its records. */
  checkpoint(): void {
    const { books, ledger } = this.#parts;
    this.#checkpointedRuns = ledger.runs;
    try {
      books.write(ledger.state());
      this.#isBookless = false;
    } catch {
      this.#isBookless = true;
    }
  }

  /**
   * Numbered records alone count: a copy made by compaction may be removed before anything behind it is delivered. The
   * number of a dropped one counts as well: if the books are lost that name the drop, the number is missing.
   */
  #noteTail(sequence = this.#lastWritten): void {
    this.#parts.tail.note(sequence, this.#parts.segments.end);
  }

  #writeEach(group: readonly PendingRecord[]): void {
    const dropped = new Map<DropReason, number>();
    for (const record of group) {
      const frame = this.#buffer.frameOf(record);
      const appended = frame === null ? 'too_large' : this.#parts.log.append([frame]);
      if (appended === 'written') {
        this.#markWritten(record);
        this.#noteTail();
      } else {
        this.#drop(record, appended);
        this.#noteTail(record.sequence);
        dropped.set(appended, (dropped.get(appended) ?? 0) + 1);
      }
    }
    if (dropped.size > 0) this.#parts.tail.writeNow();
    this.checkpoint();
    for (const [reason, records] of dropped) this.#parts.listener.dropped(reason, records);
  }

  #markWritten(record: PendingRecord): void {
    const { start } = record;
    if (start === null) {
      this.#markEndWritten(record);
      return;
    }
    this.#count(record);
    start.segment = this.#parts.segments.end.segment;
    start.bufferIndex = null;
  }

  #markEndWritten(record: NumberedRecord): void {
    this.#count(record);
    const { kind, ids, run } = record;
    const { open, ledger } = this.#parts;
    const dropped = kind === 'whole' ? (open.get(ids)?.dropped ?? null) : null;
    open.delete(ids);
    if (dropped === null) return;
    ledger.recover(dropped, run);
    // The correction is in no record: after a crash it could not be recomputed from the segments.
    this.checkpoint();
  }

  #count({ sequence }: Pick<NumberedRecord, 'sequence'>): void {
    this.#written += 1;
    this.#lastWritten = sequence;
  }

  #drop({ kind, ids, run, sequence, start }: NumberedRecord, reason: DropReason): void {
    const { open, ledger } = this.#parts;
    const known = open.get(ids);
    const isNothingLeft = kind === 'started' || (kind === 'whole' && known === undefined);
    ledger.drop(sequence, reason, isNothingLeft ? run : null);
    if (start !== null) {
      start.dropped = reason;
      start.bufferIndex = null;
    } else if (kind === 'ended' && known !== undefined) this.#pendingClosings.enqueueDroppedEnd(known);
    else open.delete(ids);
  }

  #dropClosing(record: NumberedRecord): void {
    this.#drop(record, 'too_large');
    this.#noteTail(record.sequence);
    this.#parts.listener.dropped('too_large', 1);
  }
}
