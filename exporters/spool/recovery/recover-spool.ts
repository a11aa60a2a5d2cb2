import { setImmediate } from 'node:timers/promises';
import { microsOfNanos } from '#facts/instants';
import type { ObservedSpan } from '#facts/observed-span';
import type { EpochMicros } from '#facts/step-fact';
import { readBooks } from '../books/books-file.ts';
import { Spool, type SpoolOptions } from '../spool.ts';
import type { Frame } from '../format/frame.ts';
import { Ledger, type Emitter } from '../books/ledger.ts';
import { OpenSteps } from '../open-steps.ts';
import { Cursor, isBefore, START, type Position } from '../segments/cursor.ts';
import { RecordReader, type PlacedRecord, type ReadLimits } from '../segments/record-reader.ts';
import { RunFinder } from '../books/run-finder.ts';
import { SpanDecoder } from '../format/span-decoder.ts';
import { toSpan } from '../format/spool-record.ts';

const READ_AT_ONCE = { maxRecords: 1000, maxBytes: 1024 * 1024 };

/** The spool of a dead process, with all open steps closed. */
export interface RecoveredSpool {
  readonly spool: Spool;
  /** The synthetic ends that were written, for the trace exporter. */
  readonly closings: readonly ObservedSpan[];
}

/**
 * Crash recovery: replays the log of a dead process on its last checkpoint, and closes the steps that never ended at the
 * latest instant in its records. Idempotent: after a crash in the middle it yields the same state.
 *
 * @returns null when the emitter is unknown, because there are neither books nor a readable record
 * @throws Error of the file system when the directory cannot be written, or its files cannot be opened now
 */
export async function recoverSpool(options: Omit<SpoolOptions, 'emitter'>): Promise<RecoveredSpool | null> {
  const books = readBooks(options.directory);
  const recovered = new RecoveredState(options.directory);
  const emitter = books?.emitter ?? recovered.findEmitter();
  if (emitter === null) return null;
  const ledger = new Ledger(emitter);
  if (books !== null) ledger.load(books.ledger);
  await recovered.readInto(ledger);
  const { open, undelivered, lastWritten, lastActivity } = recovered;
  const spool = new Spool({ ...options, emitter }, { ledger, open, undelivered, lastWritten });
  return { spool, closings: spool.closeSteps({ reason: 'process_crash', at: lastActivity }) };
}

/** The state of a spool as it is replayed from its segments. */
class RecoveredState {
  readonly open = new OpenSteps();
  undelivered = 0;
  lastWritten = 0;
  /** The latest instant in the records, at which the process was certainly alive. */
  lastActivity: EpochMicros = 0;
  readonly #decoder = new SpanDecoder();
  readonly #runs = new RunFinder();
  readonly #directory: string;
  readonly #delivered: Position;

  constructor(directory: string) {
    this.#directory = directory;
    const cursor = new Cursor(directory);
    this.#delivered = cursor.read();
    cursor.close();
  }

  /** Fallback for damaged books: the emitter is in the resource of every record. */
  findEmitter(): Emitter | null {
    const [first] = readNext(this.#reader(), { maxRecords: 1 });
    const resource = (first === undefined ? null : toSpan(first.frame))?.resource;
    const validatorHotkey = resource?.['weather.validator.hotkey'];
    const instanceId = resource?.['service.instance.id'];
    if (typeof validatorHotkey !== 'string' || typeof instanceId !== 'string') return null;
    return { validatorHotkey, instanceId };
  }

  async readInto(ledger: Ledger): Promise<void> {
    const reader = this.#reader();
    for (;;) {
      const records = readNext(reader, READ_AT_ONCE);
      if (records.length === 0) return;
      for (const { frame, end } of records) {
        this.#take(frame, end.segment, { ledger, isDelivered: !isBefore(this.#delivered, end) });
      }
      // Reading and decoding are synchronous: steps of this process go on in between.
      await setImmediate();
    }
  }

  #reader(): RecordReader {
    return new RecordReader(this.#directory, { from: START, isClosed: true });
  }

  #take(
    frame: Frame,
    segment: number,
    { ledger, isDelivered }: { readonly ledger: Ledger; readonly isDelivered: boolean },
  ): void {
    const span = toSpan(frame, this.#decoder);
    const { kind, sequence } = frame;
    if (kind !== 'carried' && !isDelivered) this.undelivered += 1;
    if (span === null) return;
    const run = this.#runs.runOf(span);
    if (kind === 'started' || kind === 'carried') {
      this.open.set({ started: span, sequence, run, bufferIndex: null, segment, dropped: null });
    } else this.open.delete(span);
    if (kind === 'carried') return;
    this.lastWritten = Math.max(this.lastWritten, sequence);
    const isFirst = kind === 'started' || kind === 'whole';
    ledger.replayRecord({ sequence, run, isFirst }, isDelivered);
    if (kind !== 'closed') this.lastActivity = Math.max(this.lastActivity, instantOf(span));
  }
}

/** Reads on, or throws: a transient error must not be mistaken for the end of the log. */
function readNext(reader: RecordReader, limits: ReadLimits): readonly PlacedRecord[] {
  const records = reader.next(limits);
  if (reader.isHeldUp) throw new Error('its files cannot be opened now, too many others are open');
  return records;
}

const instantOf = ({ startTimeUnixNano, endTimeUnixNano }: ObservedSpan): EpochMicros =>
  microsOfNanos(endTimeUnixNano ?? startTimeUnixNano);
