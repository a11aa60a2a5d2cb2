import type { Closing } from '#facts/closing';
import type { ObservedSpan } from '#facts/observed-span';
import type { DropReason, QueueListener } from '#processor/span-queue';
import type { BooksFile } from './books/books-file.ts';
import type { Ledger } from './books/ledger.ts';
import type { OpenSteps } from './open-steps.ts';
import { PendingClosings } from './pending-closings.ts';
import { RunFinder } from './books/run-finder.ts';
import type { SegmentWriter } from './segments/segment-writer.ts';
import { toFrame, toPayload } from './format/spool-record.ts';
import { type NumberedRecord, type PendingRecord, WriteBuffer } from './write-buffer.ts';

/** What the writer works with. */
export interface SpoolWriterParts {
  readonly segments: SegmentWriter;
  readonly books: BooksFile;
  readonly ledger: Ledger;
  readonly open: OpenSteps;
  readonly listener: QueueListener;
}

/**
 * Write-ahead log of spans with group commit: the records of one turn of the event loop are written together before the
 * turn is over. So nothing outside the process can observe a step before the operating system has its record.
 *
 * Records that exceed the limit are dropped and counted. A step whose end was dropped while its start was kept gets a
 * synthetic end as soon as there is room.
 */
export class SpoolWriter {
  readonly #parts: SpoolWriterParts;
  readonly #pending = new WriteBuffer(() => this.flush());
  readonly #pendingClosings = new PendingClosings();
  readonly #runs = new RunFinder();
  #written = 0;
  #lastKept = 0;

  constructor(parts: SpoolWriterParts) {
    this.#parts = parts;
  }

  /** Records that were accepted, written or about to be. */
  get accepted(): number {
    return this.#written + this.#pending.size;
  }

  /** Number of the newest record on disk that is delivered. */
  get lastKept(): number {
    return this.#lastKept;
  }

  get closingsToWrite(): number {
    return this.#pendingClosings.size;
  }

  /** Accepts a span. One that ended in the turn in which it started is one record. */
  accept(span: ObservedSpan): 'queued' | 'merged' {
    this.#pending.encode(span);
    return span.phase === 'started' ? this.#acceptStart(span) : this.#acceptEnd(span);
  }

  #acceptStart(span: ObservedSpan): 'queued' {
    const { ledger, open } = this.#parts;
    const run = this.#runs.runOf(span);
    ledger.start(run);
    const sequence = ledger.nextSequence();
    const pendingAt = this.#pending.size;
    const start = { started: span, sequence, run, pendingAt, segment: null, refused: null };
    open.set(start);
    this.#pending.add({ kind: 'started', ids: span, sequence, run, start });
    return 'queued';
  }

  #acceptEnd(span: ObservedSpan): 'queued' | 'merged' {
    const { ledger, open } = this.#parts;
    const known = open.get(span);
    if (known !== undefined && known.pendingAt !== null) {
      const { sequence, run, pendingAt } = known;
      open.delete(span);
      this.#pending.replace(pendingAt, { kind: 'whole', ids: span, sequence, run, start: null });
      return 'merged';
    }
    const isFirst = known === undefined || known.refused !== null;
    const run = isFirst ? this.#runs.runOf(span) : null;
    if (known === undefined) ledger.start(run);
    const sequence = ledger.nextSequence();
    this.#pending.add({ kind: isFirst ? 'whole' : 'ended', ids: span, sequence, run, start: null });
    return 'queued';
  }

  /** Flushes the write buffer. */
  flush(): void {
    const group = this.#pending.take();
    if (group.length === 0) return;
    const frames = this.#pending.framesOf(group);
    if (frames !== null && this.#append(frames) === 'written') for (const record of group) this.#keep(record);
    else this.#writeEach(group);
    this.#pending.clear();
  }

  /** Writes synthetic ends for all open steps, from their starts. Those that find no room stay pending. */
  closeAll(closing: Closing): readonly ObservedSpan[] {
    return this.#parts.open.kept().map((start) => this.#pendingClosings.owe(start, closing));
  }

  /** Flushes pending synthetic ends as far as there is room; with `isPending` they may exceed the limit. */
  flushPending(isPending = false): void {
    // Sequence order is file order: buffered records have lower numbers, so they are written first.
    this.flush();
    const { ledger } = this.#parts;
    for (let span = this.#pendingClosings.first; span !== undefined; span = this.#pendingClosings.first) {
      const sequence = ledger.lastSequence + 1;
      const run = this.#runs.runOf(span);
      const record = { kind: 'closed', ids: span, sequence, run, start: null } as const;
      const frame = toFrame('closed', sequence, toPayload(span));
      if (frame !== null && this.#append([frame], isPending) !== 'written') return;
      this.#pendingClosings.removeFirst();
      ledger.nextSequence();
      this.#parts.listener.added(1);
      if (frame === null) this.#refuseClosing(record);
      else this.#appendEnd(record);
    }
  }

  /** Compaction: rewrites the open starts of a segment that is about to be deleted; false when there is no room. */
  rewriteOpenStarts(segment: number): boolean {
    const { open, segments } = this.#parts;
    const steps = open.startedUpTo(segment);
    if (steps.length === 0) return true;
    const frames = steps.map(({ sequence, started }) => toFrame('carried', sequence, toPayload(started)));
    const whole = frames.filter((frame) => frame !== null);
    if (this.#append(whole, true) !== 'written') return false;
    for (const step of steps) step.segment = segments.end.segment;
    return true;
  }

  #append(frames: readonly Buffer[], isPending = false) {
    const { segments, books, ledger } = this.#parts;
    const before = segments.end.segment;
    const appended = segments.append(frames, isPending);
    // The books that count a segment's records are written before the segment is deleted.
    if (segments.end.segment !== before) ignoreErrors(() => books.write(ledger.state()));
    return appended;
  }

  #writeEach(group: readonly PendingRecord[]): void {
    const dropped = new Map<DropReason, number>();
    for (const record of group) {
      const frame = this.#pending.frameOf(record);
      const appended = frame === null ? 'too_large' : this.#append([frame]);
      if (appended === 'written') this.#keep(record);
      else {
        this.#refuse(record, appended);
        dropped.set(appended, (dropped.get(appended) ?? 0) + 1);
      }
    }
    const { books, ledger, listener } = this.#parts;
    ignoreErrors(() => books.write(ledger.state()));
    for (const [reason, records] of dropped) listener.dropped(reason, records);
  }

  #keep(record: PendingRecord): void {
    const { start } = record;
    if (start === null) {
      this.#appendEnd(record);
      return;
    }
    this.#count(record);
    start.segment = this.#parts.segments.end.segment;
    start.pendingAt = null;
  }

  #appendEnd(record: NumberedRecord): void {
    this.#count(record);
    const { kind, ids, run } = record;
    const { open, ledger, books } = this.#parts;
    const refused = kind === 'whole' ? (open.get(ids)?.refused ?? null) : null;
    open.delete(ids);
    if (refused === null) return;
    ledger.recover(refused, run);
    // Adjusts the counter: this step was counted before, as dropped, which its record does not show.
    ignoreErrors(() => books.write(ledger.state()));
  }

  #count({ sequence }: NumberedRecord): void {
    this.#written += 1;
    this.#lastKept = sequence;
  }

  #refuse({ kind, ids, run, sequence, start }: NumberedRecord, reason: DropReason): void {
    const { open, ledger } = this.#parts;
    const known = open.get(ids);
    const isNothingLeft = kind === 'started' || (kind === 'whole' && known === undefined);
    ledger.drop(sequence, reason, isNothingLeft ? run : null);
    if (start !== null) {
      start.refused = reason;
      start.pendingAt = null;
    } else if (kind === 'ended' && known !== undefined) this.#pendingClosings.addPendingEnd(known);
    else open.delete(ids);
  }

  #refuseClosing(record: NumberedRecord): void {
    this.#refuse(record, 'too_large');
    this.#parts.listener.dropped('too_large', 1);
  }
}

/** Best-effort I/O: a position that was not stored only means that records are delivered or counted again. */
export function ignoreErrors(work: () => void): void {
  try {
    work();
  } catch {
    // The disk has failed; the write of records reports it.
  }
}
