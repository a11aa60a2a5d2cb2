import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { holderOf } from '#processes/file-lock';
import { readBooks, UnknownBooksError, type Books } from '../books/books-file.ts';
import { readSegment } from '../format/frame.ts';
import { toSpan } from '../format/spool-record.ts';
import { SpanDecoder } from '../format/span-decoder.ts';
import { Cursor, isBefore, type Position } from '../segments/cursor.ts';
import { listSegments, type SegmentFile } from '../segments/segment-files.ts';
import { readTail, type Tail } from '../segments/tail-file.ts';
import { listFolders, OWNER, UNREADABLE } from '../spool-folder.ts';

/** Totals of the spools in a data directory, of living and of dead processes. */
export interface SpoolInspection {
  readonly spools: number;
  /** Bytes of all segments; delivered records count until their segment is removed. */
  readonly bytes: number;
  /** Folders that were set aside, because of what in them cannot be read. */
  readonly unreadable: readonly string[];
}

/** The folders of all spools below a directory, of every target database. */
export async function findSpools(directory: string): Promise<readonly string[]> {
  const folders: string[] = [];
  for (const target of await listFolders(directory)) {
    for (const name of await listFolders(join(directory, target)))
      folders.push(join(directory, target, name));
  }
  return folders;
}

/** Inspects all spools below a directory, of every target database. Read-only, takes no locks. */
export async function inspectSpools(directory: string): Promise<SpoolInspection> {
  const folders = await findSpools(directory);
  const readable = folders.filter((folder) => !folder.endsWith(UNREADABLE));
  return {
    spools: readable.length,
    bytes: readable.reduce((sum, folder) => sum + bytesOf(folder), 0),
    unreadable: folders.filter((folder) => folder.endsWith(UNREADABLE)),
  };
}

/** Bytes of the segments that were set aside below the root of one database; cheap enough for every scrape. */
export function unreadableBytes(root: string): number {
  try {
    const names = readdirSync(root).filter((name) => name.endsWith(UNREADABLE));
    return names.reduce((sum, name) => sum + bytesOf(join(root, name)), 0);
  } catch {
    // The root, or a folder that somebody removes just now, is gone: the next scrape counts again.
    return 0;
  }
}

const bytesOf = (folder: string): number => listSegments(folder).reduce((sum, { bytes }) => sum + bytes, 0);

/** What a segment holds. */
export interface SegmentReading {
  readonly number: number;
  readonly bytes: number;
  /** Null when its header is damaged. */
  readonly format: number | null;
  readonly records: number;
  readonly undelivered: number;
  /** Records whose span cannot be decoded. */
  readonly undecodable: number;
  readonly damagedRanges: number;
  readonly damagedBytes: number;
  /** Number of the oldest and of the newest record; null without records. */
  readonly firstSequence: number | null;
  readonly lastSequence: number | null;
}

/** What a folder of a spool holds. */
export interface SpoolReading {
  readonly folder: string;
  /** `unknown`: of another container or of an earlier boot, so that it cannot be looked up from here. */
  readonly owner: 'living' | 'dead' | 'unknown' | 'set_aside';
  /** When the owner last renewed its lock, by its wall clock; null when nobody holds the folder. */
  readonly heartbeatAt: Date | null;
  readonly segments: readonly SegmentReading[];
  /** Null when there are none, or none that can be read. */
  readonly books: Books | null;
  readonly tail: Tail | null;
  readonly cursor: Position;
  /** The newest number that is known by books, tail or records. */
  readonly lastSequence: number;
  /** Numbers behind the newest record that were written and are gone. */
  readonly cutOff: readonly [from: number, to: number] | null;
}

/** Reads a whole spool and changes nothing. @throws Error of the file system */
export async function readSpool(folder: string): Promise<SpoolReading> {
  const tail = readTail(folder);
  const books = readKnownBooks(folder);
  const cursor = new Cursor(folder).read();
  const segments = listSegments(folder).map((segment) => readOne(segment, cursor));
  const newest = Math.max(0, ...segments.map(({ lastSequence }) => lastSequence ?? 0));
  const isAllDelivered = tail !== null && !isBefore(cursor, tail.end);
  const written = isAllDelivered ? 0 : (tail?.sequence ?? 0);
  return {
    folder,
    owner: await ownerOf(folder),
    heartbeatAt: statSync(join(folder, OWNER), { throwIfNoEntry: false })?.mtime ?? null,
    segments,
    books,
    tail,
    cursor,
    lastSequence: Math.max(newest, tail?.sequence ?? 0, books?.ledger.upTo ?? 0),
    cutOff: written > newest ? [newest + 1, written] : null,
  };
}

/** The books; null when there are none, or when a newer version wrote them. */
export function readKnownBooks(folder: string): Books | null {
  try {
    return readBooks(folder);
  } catch (error) {
    if (error instanceof UnknownBooksError) return null;
    throw error;
  }
}

async function ownerOf(folder: string): Promise<SpoolReading['owner']> {
  if (folder.endsWith(UNREADABLE)) return 'set_aside';
  const holder = await holderOf(join(folder, OWNER));
  return holder === 'none' ? 'dead' : holder;
}

function readOne({ number, path, bytes }: SegmentFile, cursor: Position): SegmentReading {
  const { frames, ...contents } = readSegment(readFileSync(path));
  const records = frames.filter(({ kind }) => kind !== 'carried');
  const decoder = new SpanDecoder();
  // Segments are delivered in order; within the one of the cursor, records before its offset are.
  const behind =
    number === cursor.segment ? readSegment(readFileSync(path).subarray(0, cursor.offset)) : null;
  const delivered =
    number < cursor.segment
      ? records.length
      : (behind?.frames.filter(({ kind }) => kind !== 'carried').length ?? 0);
  return {
    number,
    bytes,
    format: contents.format,
    records: records.length,
    undelivered: records.length - delivered,
    undecodable: records.filter((record) => toSpan(record, decoder) === null).length,
    damagedRanges: contents.damagedRanges + (contents.end < bytes ? 1 : 0),
    damagedBytes: contents.damagedBytes + bytes - contents.end,
    firstSequence: records[0]?.sequence ?? null,
    lastSequence: records.at(-1)?.sequence ?? null,
  };
}
