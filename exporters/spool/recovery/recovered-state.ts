import { statSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { microsOfNanos } from '#facts/instants';
import type { ObservedSpan } from '#facts/observed-span';
import type { EpochMicros } from '#facts/step-fact';
import { RunFinder } from '../books/run-finder.ts';
import type { Emitter, Ledger } from '../books/ledger.ts';
import type { Frame } from '../format/frame.ts';
import { SpanDecoder } from '../format/span-decoder.ts';
import { toSpan } from '../format/spool-record.ts';
import { OpenSteps } from '../open-steps.ts';
import { Cursor, isBefore, START, type Position } from '../segments/cursor.ts';
import { RecordReader, type PlacedRecord, type ReadLimits } from '../segments/record-reader.ts';
import type { UnreadableSegments } from '../segments/segment-damage.ts';
import { segmentPath } from '../segments/segment-files.ts';
import type { SegmentWriter } from '../segments/segment-writer.ts';
import type { Tail } from '../segments/tail-file.ts';

/** The smallest page of a file system's cache. */
const PAGE_BYTES = 4096;
const READ_AT_ONCE = { maxRecords: 1000, maxBytes: 1024 * 1024 };

/** What a spool goes on with that `recoverSpool` has read from its files. */
export interface RecoveredSpoolState {
  readonly ledger: Ledger;
  readonly open: OpenSteps;
  /** Records that were not delivered. */
  readonly undelivered: number;
  readonly lastWritten: number;
  /** Segments of which something cannot be read. */
  readonly unreadable: UnreadableSegments;
  /** The tail to go on with. */
  readonly tail: Omit<Tail, 'isClosed'>;
}

/** What a process still has of a spool whose folder it has lost. */
export interface SpoolLeftover {
  readonly ledger: Ledger;
  readonly open: OpenSteps;
  /** Its descriptors can still be read. */
  readonly segments: SegmentWriter;
  /** Whether nothing was found in it that cannot be read. */
  readonly isWhole: boolean;
  /** Records that no batch has taken. */
  readonly queued: number;
}

/** The state of a spool as it is replayed from its segments. */
export class RecoveredState {
  readonly open = new OpenSteps();
  undelivered = 0;
  lastWritten = 0;
  /** The latest instant in the records, at which the process was certainly alive. */
  lastActivity: EpochMicros = 0;
  readonly #decoder = new SpanDecoder();
  readonly #runs = new RunFinder();
  /** Position behind the newest numbered record. */
  end: Position = START;
  /** Position up to which all is delivered. */
  readonly delivered: Position;
  readonly unreadable = new Map<number, string>();
  #torn: number | null = null;
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    const cursor = new Cursor(directory);
    this.delivered = cursor.read();
    cursor.close();
  }

  /** Fallback for damaged books: the emitter is in the resource of every record. */
  findEmitter(): Emitter | null {
    const reader = this.#reader();
    for (;;) {
      const records = readNext(reader, READ_AT_ONCE);
      if (records.length === 0) return null;
      for (const { frame } of records) {
        const emitter = emitterOf(toSpan(frame, this.#decoder));
        if (emitter !== null) return emitter;
      }
    }
  }

  async readInto(ledger: Ledger): Promise<void> {
    const reader = this.#reader();
    for (;;) {
      const records = readNext(reader, READ_AT_ONCE);
      if (records.length === 0) break;
      for (const { frame, end } of records) {
        this.#take(frame, end, { ledger, isDelivered: !isBefore(this.delivered, end) });
      }
      // Reading and decoding are synchronous: steps of this process go on in between.
      await setImmediate();
    }
    for (const [segment, reason] of reader.damage.unreadable) this.unreadable.set(segment, reason);
    this.#torn = reader.damage.tornSegment;
  }

  /**
   * A torn end is no damage while nobody had learnt of the record. A number that was used tells that somebody had, and so
   * does an end within a page: a kill ends a write between two pages, so somebody else has cut the file.
   */
  judgeTorn(lastSequence: number): void {
    if (this.#torn === null) return;
    const size = statSync(segmentPath(this.#directory, this.#torn)).size;
    if (lastSequence > this.lastWritten || size % PAGE_BYTES !== 0)
      this.unreadable.set(this.#torn, 'torn at its end');
  }

  #reader(): RecordReader {
    return new RecordReader(this.#directory, { from: START, isClosed: true });
  }

  #take(
    frame: Frame,
    end: Position,
    { ledger, isDelivered }: { readonly ledger: Ledger; readonly isDelivered: boolean },
  ): void {
    const span = toSpan(frame, this.#decoder);
    const { kind, sequence } = frame;
    if (kind !== 'carried' && !isDelivered) this.undelivered += 1;
    const { segment } = end;
    if (span === null) this.unreadable.set(segment, 'records that cannot be decoded');
    if (kind !== 'carried') {
      ledger.advanceTo(sequence);
      this.end = end;
      this.lastWritten = Math.max(this.lastWritten, sequence);
    }
    if (span === null) return;
    if (kind === 'received') {
      ledger.replayRecord({ sequence, run: null, isFirst: false }, isDelivered);
      return;
    }
    const run = this.#runs.runOf(span);
    if (kind === 'started' || kind === 'carried') {
      this.open.set({ started: span, sequence, run, bufferIndex: null, segment, dropped: null });
    } else this.open.delete(span);
    if (kind === 'carried') return;
    const isFirst = kind === 'started' || kind === 'whole';
    ledger.replayRecord({ sequence, run, isFirst }, isDelivered);
    if (kind !== 'closed') this.lastActivity = Math.max(this.lastActivity, instantOf(span));
  }
}

/** Fallback for damaged books: the resource of a record names its emitter. */
export function emitterOf(span: ObservedSpan | null): Emitter | null {
  const validatorHotkey = span?.resource['weather.validator.hotkey'];
  const instanceId = span?.resource['service.instance.id'];
  if (typeof validatorHotkey !== 'string' || typeof instanceId !== 'string') return null;
  return { validatorHotkey, instanceId };
}

/** Reads on, or throws: a transient error must not be mistaken for the end of the log. */
function readNext(reader: RecordReader, limits: ReadLimits): readonly PlacedRecord[] {
  const records = reader.next(limits);
  if (reader.isHeldUp) throw new Error('its files cannot be opened or read now');
  return records;
}

const instantOf = ({ startTimeUnixNano, endTimeUnixNano }: ObservedSpan): EpochMicros =>
  microsOfNanos(endTimeUnixNano ?? startTimeUnixNano);
