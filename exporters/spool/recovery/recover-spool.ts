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

/** A spool whose process is dead, with every step closed that it left under way. */
export interface RecoveredSpool {
  readonly spool: Spool;
  /** The synthetic ends that were written, for the export of traces. */
  readonly closings: readonly ObservedSpan[];
}

/**
 * Takes up the spool of a dead process: reads all that it left, and closes the steps that never ended, at the last
 * instant of which its records speak. Doing it again after a crash in the middle comes to the same.
 *
 * @returns null when the owner is unknown: there is no record in it
 * @throws Error of the file system when the directory cannot be written, or its files cannot be opened now
 */
export async function recoverSpool(options: Omit<SpoolOptions, 'emitter'>): Promise<RecoveredSpool | null> {
  const books = readBooks(options.directory);
  const recovered = new RecoveredState(options.directory);
  const emitter = books?.emitter ?? (await recovered.findEmitter());
  if (emitter === null) return null;
  const ledger = new Ledger(emitter);
  if (books !== null) ledger.load(books.ledger);
  await recovered.readInto(ledger);
  const { open, undelivered, lastKept, lastSign } = recovered;
  const spool = new Spool({ ...options, emitter }, { ledger, open, undelivered, lastKept });
  return { spool, closings: spool.closeSteps({ reason: 'process_crash', at: lastSign }) };
}

/** What a dead process left. */
class RecoveredState {
  readonly open = new OpenSteps();
  undelivered = 0;
  lastKept = 0;
  /** The latest instant of which a record speaks: the process was alive then. */
  lastSign: EpochMicros = 0;
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

  /** Every record names its emitter; only the books may be damaged. */
  async findEmitter(): Promise<Emitter | null> {
    const [first] = await readNext(this.#reader(), { maxRecords: 1 });
    const resource = (first === undefined ? null : toSpan(first.frame))?.resource;
    const validatorHotkey = resource?.['weather.validator.hotkey'];
    const instanceId = resource?.['service.instance.id'];
    if (typeof validatorHotkey !== 'string' || typeof instanceId !== 'string') return null;
    return { validatorHotkey, instanceId };
  }

  async readInto(ledger: Ledger): Promise<void> {
    const reader = this.#reader();
    for (;;) {
      const records = await readNext(reader, READ_AT_ONCE);
      if (records.length === 0) return;
      for (const { frame, end } of records) {
        this.#take(frame, end.segment, { ledger, isDelivered: !isBefore(this.#delivered, end) });
      }
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
      this.open.set({ started: span, sequence, run, pendingAt: null, segment, refused: null });
    } else this.open.delete(span);
    if (kind === 'carried') return;
    this.lastKept = Math.max(this.lastKept, sequence);
    const isFirst = kind === 'started' || kind === 'whole';
    ledger.see({ sequence, run, isFirst }, isDelivered);
    if (kind !== 'closed') this.lastSign = Math.max(this.lastSign, instantOf(span));
  }
}

/** What could not be read is not what was not left. */
async function readNext(reader: RecordReader, limits: ReadLimits): Promise<readonly PlacedRecord[]> {
  const records = await reader.next(limits);
  if (reader.isHeldUp) throw new Error('its files cannot be opened now, too many others are open');
  return records;
}

const instantOf = ({ startTimeUnixNano, endTimeUnixNano }: ObservedSpan): EpochMicros =>
  microsOfNanos(endTimeUnixNano ?? startTimeUnixNano);
