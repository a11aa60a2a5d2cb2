import { setImmediate } from 'node:timers/promises';
import type { ObservedSpan } from '#facts/observed-span';
import { BooksFile, readBooks, type Books } from '../books/books-file.ts';
import { Spool, type SpoolOptions } from '../spool.ts';
import { encodeFrame, readSegment, type Frame } from '../format/frame.ts';
import { Ledger, type BookedRecord, type Emitter } from '../books/ledger.ts';
import { isBefore, START, type Position } from '../segments/cursor.ts';
import { readBootId, readTail, TailFile, type Tail } from '../segments/tail-file.ts';
import { RunFinder } from '../books/run-finder.ts';
import { SpanDecoder } from '../format/span-decoder.ts';
import { SegmentWriter, type SegmentWriterOptions } from '../segments/segment-writer.ts';
import { toPayload, toSpan } from '../format/spool-record.ts';
import type { SpoolFolder } from '../spool-folder.ts';
import { RecoveredState, type SpoolLeftover } from './recovered-state.ts';

/** Records that are written together when a spool is rescued: on a durable disk each group waits for it once. */
const RESCUED_AT_ONCE = 500;

/** The spool of a dead process, with all open steps closed. */
export interface RecoveredSpool {
  readonly spool: Spool;
  /** The synthetic ends that were written, for the trace exporter. */
  readonly closings: readonly ObservedSpan[];
  /** Why records behind the last one may be gone, in a sentence; null when it is known to be the last. */
  readonly openEnd: string | null;
}

/**
 * Crash recovery: replays the log of a dead process on its last checkpoint, and closes the steps that never ended at the
 * latest instant in its records. Idempotent: after a crash in the middle it yields the same state.
 *
 * @returns null when the emitter is unknown, because there are neither books nor a readable record
 * @throws Error of the file system when the directory cannot be written, or its files cannot be opened now
 */
export async function recoverSpool(options: Omit<SpoolOptions, 'emitter'>): Promise<RecoveredSpool | null> {
  const restored = await restoreSpool(options);
  if (restored === null) return null;
  const { spool, lastActivity, openEnd } = restored;
  return { spool, closings: spool.closeSteps({ reason: 'process_crash', at: lastActivity }), openEnd };
}

/** The spool as its files leave it, with the latest instant in its records and whether its end is open. */
async function restoreSpool(options: Omit<SpoolOptions, 'emitter'>) {
  const { directory } = options;
  const books = readBooks(directory);
  const known = readTail(directory);
  const recovered = new RecoveredState(directory);
  const emitter = books?.emitter ?? recovered.findEmitter();
  if (emitter === null) return null;
  const ledger = new Ledger(emitter);
  if (books !== null) ledger.load(books.ledger);
  await recovered.readInto(ledger);
  ledger.advanceTo(known?.sequence ?? 0);
  recovered.judgeTorn(ledger.lastSequence);
  const openEnd = openEndOf(recovered, known, books);
  const tail = nextTail(recovered, known, { ...options, isOpenEnd: openEnd !== null });
  const { open, undelivered, lastWritten, lastActivity, unreadable } = recovered;
  const spool = new Spool(
    { ...options, emitter },
    { ledger, open, undelivered, lastWritten, unreadable, tail },
  );
  return { spool, lastActivity, openEnd };
}

/** Compares what is there with what the tail knew. Without a tail the books know the end if they were written last. */
function openEndOf(
  { lastWritten, end, delivered }: RecoveredState,
  tail: Tail | null,
  books: Books | null,
): string | null {
  if (tail === null) {
    // Without a record the books prove nothing: they were written before the records that are gone.
    if (books !== null && lastWritten > 0 && books.ledger.upTo >= lastWritten) return null;
    return 'Nothing says which record was the last one; newer ones may be gone.';
  }
  if (tail.isOpenEnd) return 'Records at its end are gone, or may be gone.';
  if (isBefore(end, tail.end) && isBefore(delivered, tail.end) && lastWritten < tail.sequence)
    return `The log was cut off: the records ${lastWritten + 1} to ${tail.sequence} were written and are gone.`;
  if (tail.isClosed || tail.durability === 'disk' || tail.bootId === readBootId()) return null;
  return (
    'The machine was restarted while the process recorded with durability "system": records that were not on the disk yet ' +
    'are gone, and nobody can know how many. BAROGRAPH_SPOOL_DURABILITY=disk keeps them.'
  );
}

/** The tail of the recovered spool. What is known of its end stays known if this process dies as well. */
function nextTail(
  { lastWritten, end }: RecoveredState,
  tail: Tail | null,
  { durability, isOpenEnd }: Pick<SpoolOptions, 'durability'> & { readonly isOpenEnd: boolean },
): Omit<Tail, 'isClosed'> {
  const isNewer = tail === null || isBefore(tail.end, end);
  return {
    sequence: Math.max(lastWritten, tail?.sequence ?? 0),
    end: isNewer ? end : tail.end,
    durability: tail?.durability ?? durability,
    bootId: tail === null ? readBootId() : tail.bootId,
    isOpenEnd,
  };
}

/** What could be kept of the spool of a living process. */
export interface RescuedSpool {
  readonly spool: Spool;
  /** Records that were written off. */
  readonly lost: number;
  /** Something of it could not be read before, or is with others: its books stay open. */
  readonly isOpenEnd: boolean;
}

/**
 * Writes the undelivered records of a lost spool, as far as they can still be read, to a new folder, numbered as they were.
 * Its steps stay open, since their process lives. What cannot be read is written off as `spool_lost`, unless the files exist
 * elsewhere: then whoever took them delivers it. Some may be delivered twice, which changes nothing.
 *
 * @throws Error of the file system when the new folder cannot be written
 */
export async function rescueSpool(
  left: SpoolLeftover,
  options: Omit<SpoolOptions, 'emitter'>,
): Promise<RescuedSpool> {
  const { ledger, segments } = left;
  // Until all is written here the end is open: a process that dies in the middle leaves no clean books.
  writeTail(options, { sequence: ledger.lastSequence, end: START, isOpenEnd: true });
  const books = new BooksFile(options.directory, ledger.emitter);
  books.write(ledger.state());
  const { readable, end } = await rewriteRecords(left, options);
  const lost = segments.isLinked === false ? ledger.writeOff(readable, 'spool_lost') : 0;
  books.write(ledger.state());
  books.close();
  // What was written off is in the books with its numbers; what only others have may be gone.
  const isOpenEnd = !left.isWhole || ledger.hasUnread(readable);
  writeTail(options, { sequence: ledger.lastSequence, end, isOpenEnd });
  const restored = await restoreSpool({ ...options, keepsExisting: true });
  if (restored === null) throw new Error(`the books of ${options.directory} cannot be read`);
  return { spool: restored.spool, lost, isOpenEnd };
}

/** What was kept of it, in words for an operator. */
export function keptText({ spool, lost, isOpenEnd }: RescuedSpool): string {
  const openEnd = isOpenEnd
    ? ' Others could not be read, or are with whoever took the folder: its books stay open.'
    : '';
  return (
    `Of the records that were not delivered, ${spool.size} are kept and ${lost} are lost (spool_lost).${openEnd} Nothing but ` +
    'Barograph may change the data directory while a process records into it.'
  );
}

/** What a living process tells its operator when it goes on in another folder. */
export function lossText(
  lost: SpoolFolder,
  next: RescuedSpool & { readonly folder: SpoolFolder; readonly emitter: Emitter },
): string {
  return (
    `The spool ${lost.directory} of this process was removed or replaced, or taken over by a process that heard nothing of this one. ` +
    `Recording goes on in ${next.folder.directory}, as instance ${next.emitter.instanceId}. ${keptText(next)}`
  );
}

function writeTail(
  { directory, durability }: SegmentWriterOptions,
  known: Pick<Tail, 'sequence' | 'end' | 'isOpenEnd'>,
): void {
  new TailFile(directory, { ...known, durability, bootId: readBootId() }).close();
}

/** @returns the records that were written, and the position behind them */
async function rewriteRecords(
  { ledger, open, segments }: SpoolLeftover,
  options: SegmentWriterOptions,
): Promise<{ readonly readable: readonly BookedRecord[]; readonly end: Position }> {
  const writer = new SegmentWriter({ ...options, limitBytes: Infinity });
  const [decoder, runs] = [new SpanDecoder(), new RunFinder()];
  const written = new Map<number, BookedRecord>();
  const rewrite = (frames: readonly Frame[]): void => {
    const group = new Map<number, { readonly bytes: Buffer; readonly record: BookedRecord }>();
    for (const frame of frames) {
      const { kind, sequence } = frame;
      if (kind === 'carried' || sequence <= ledger.deliveredSequence || written.has(sequence)) continue;
      const span = toSpan(frame, decoder);
      const isFirst = kind === 'started' || kind === 'whole';
      if (span === null) continue;
      const record = { sequence, run: kind === 'received' ? null : runs.runOf(span), isFirst };
      group.set(sequence, { bytes: encodeFrame(frame), record });
    }
    const write = (records: readonly { readonly bytes: Buffer; readonly record: BookedRecord }[]): void => {
      if (writer.append(records.map(({ bytes }) => bytes)) === 'written')
        for (const { record } of records) written.set(record.sequence, record);
      else if (records.length > 1) for (const one of records) write([one]);
    };
    if (group.size > 0) write([...group.values()]);
  };
  for (const bytes of segments.readKept()) {
    const { frames } = readSegment(bytes);
    for (let at = 0; at < frames.length; at += RESCUED_AT_ONCE) {
      rewrite(frames.slice(at, at + RESCUED_AT_ONCE));
      // Reading and writing are synchronous: steps of this process go on in between.
      await setImmediate();
    }
  }
  // The starts of running steps are in memory as well; those of an earlier emitter are in its own books.
  const own = open
    .onDisk()
    .filter(({ started }) => started.resource['service.instance.id'] === ledger.emitter.instanceId);
  rewrite(own.map(({ started, sequence }) => ({ kind: 'started', sequence, payload: toPayload(started) })));
  writer.dispose();
  return { readable: [...written.values()], end: writer.end };
}
