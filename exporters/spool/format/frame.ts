import { crc32 } from 'node:zlib';
import { ByteWriter } from './byte-writer.ts';

/** The kinds of records; their index is stored, so new ones are appended. */
export const RECORD_KINDS = ['started', 'ended', 'whole', 'closed', 'carried', 'received'] as const;
/**
 * - `started`, `ended`: a span as it was observed.
 * - `whole`: an ended span without a stored start; it is the first record of its span.
 * - `closed`: a synthetic end, for a span that never ended or whose end was dropped.
 * - `carried`: the start of a running span, rewritten by compaction before its segment is removed. It repeats the number of
 *   the start and is not delivered again.
 * - `received`: a span of another program. It opens no step, and the death of this process ends none that it may have begun.
 */
export type RecordKind = (typeof RECORD_KINDS)[number];

/** One record of the spool. */
export interface Frame {
  readonly kind: RecordKind;
  /** Number of the record among those of its emitter, from 1. */
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** Bytes before the payload: mark (2), kind (1), zero (1), length of the payload (4), sequence (8). */
export const HEADER_BYTES = 16;
/** Bytes behind it: the CRC-32 of all but the mark. */
const TRAILER_BYTES = 4;
/** Sync marker of every frame, little-endian; after damage the reader searches for the next one. */
const MARK = 0x08b6;
const MARK_BYTES = Buffer.from([0xb6, 0x08]);
/** Upper bound of a plausible payload; a corrupt length must not allocate all memory. */
export const MAX_PAYLOAD_BYTES = 16 * 1024 * 1024;
export const MAX_FRAME_BYTES = HEADER_BYTES + MAX_PAYLOAD_BYTES + TRAILER_BYTES;

/**
 * Formats of the segments and the books of a spool that are read; each needs a fixture in `test/exporters/spool/fixtures`.
 * In format 1 a segment has no header, and the books do not name their format.
 */
export const SPOOL_FORMATS = [1, 2] as const;
/** The format that is written. */
export const WRITTEN_FORMAT = 2;
/** Magic (6), format (2), CRC-32 of both (4). */
const SEGMENT_MAGIC = Buffer.from('barseg');
const SEGMENT_HEADER_BYTES = 12;

function encodeSegmentHeader(format: number): Buffer {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
  header.set(SEGMENT_MAGIC);
  header.writeUInt16LE(format, 6);
  header.writeUInt32LE(crc32(header.subarray(0, 8)), 8);
  return header;
}

/** The first bytes of every segment that is written. */
export const SEGMENT_HEADER = encodeSegmentHeader(WRITTEN_FORMAT);

/** What a segment begins with. `format`: null when the header is damaged, and its frames have to be searched for. */
export interface SegmentStart {
  readonly format: number | null;
  /** Offset of the first frame. */
  readonly from: number;
}

/** Reads the header of a segment; null when the bytes end before it does. */
export function segmentStart(bytes: Buffer): SegmentStart | null {
  if (isMark(bytes, 0, Math.min(bytes.length, MARK_BYTES.length)) && bytes.length > 0)
    return { format: 1, from: 0 };
  const magic = bytes.subarray(0, SEGMENT_MAGIC.length);
  const isMagic = magic.equals(SEGMENT_MAGIC.subarray(0, magic.length));
  if (isMagic && bytes.length < SEGMENT_HEADER_BYTES) return null;
  const isIntact = isMagic && bytes.readUInt32LE(8) === crc32(bytes.subarray(0, 8));
  return isIntact ? { format: bytes.readUInt16LE(6), from: SEGMENT_HEADER_BYTES } : { format: null, from: 0 };
}

/** Whether a format can be read; frames behind a damaged header, which names none, are judged one by one. */
export const isKnownFormat = (format: number | null): boolean =>
  format === null || SPOOL_FORMATS.some((known) => known === format);

const CHECKED_FROM = 2;
const KIND_SHIFT = 16;
const LENGTH_AT = 4;
const SEQUENCE_AT = 8;
const TWO_TO_32 = 2 ** 32;

/** Reserves the header of a frame, behind which the payload is written. @returns the offset of the frame */
export function beginFrame(writer: ByteWriter): number {
  const from = writer.length;
  writer.skip(HEADER_BYTES);
  return from;
}

/** Fills in the header and appends the checksum. */
export function endFrame(writer: ByteWriter, from: number, { kind, sequence }: Omit<Frame, 'payload'>): void {
  writer.replaceUint32(from, MARK + (RECORD_KINDS.indexOf(kind) << KIND_SHIFT));
  writer.replaceUint32(from + LENGTH_AT, writer.length - from - HEADER_BYTES);
  writer.replaceUint32(from + SEQUENCE_AT, sequence % TWO_TO_32);
  writer.replaceUint32(from + SEQUENCE_AT + 4, Math.floor(sequence / TWO_TO_32));
  writer.uint32(crc32(writer.slice(from + CHECKED_FROM, writer.length)));
}

/** Encodes a record as it is stored in a segment. */
export function encodeFrame({ kind, sequence, payload }: Frame): Buffer {
  const writer = new ByteWriter(HEADER_BYTES + payload.length + TRAILER_BYTES);
  const from = beginFrame(writer);
  writer.bytes(payload);
  endFrame(writer, from, { kind, sequence });
  return writer.slice(from, writer.length);
}

/** Result of decoding at an offset of a segment. */
export type FrameAt =
  | { readonly kind: 'frame'; readonly frame: Frame; readonly next: number }
  /** The bytes end before the frame does: it is being written, or the write was torn. */
  | { readonly kind: 'incomplete' }
  /** No valid frame; the next intact one begins at `next`, the end of the bytes when there is none. */
  | { readonly kind: 'damaged'; readonly next: number };

/** Decodes the frame at an offset. */
export function frameAt(bytes: Buffer, offset: number): FrameAt {
  const frame = tryFrame(bytes, offset);
  if (frame === 'incomplete') return { kind: 'incomplete' };
  if (frame !== 'damaged')
    return { kind: 'frame', frame, next: offset + HEADER_BYTES + frame.payload.length + TRAILER_BYTES };
  return { kind: 'damaged', next: nextFrame(bytes, offset + 1) };
}

/** Resynchronizes: the offset of the next intact frame; the end of the bytes when there is none. */
export function nextFrame(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(MARK_BYTES, from); at !== -1; at = bytes.indexOf(MARK_BYTES, at + 1)) {
    if (typeof tryFrame(bytes, at) === 'object') return at;
  }
  return bytes.length;
}

function tryFrame(bytes: Buffer, offset: number): Frame | 'incomplete' | 'damaged' {
  const rest = bytes.length - offset;
  if (!isMark(bytes, offset, Math.min(rest, MARK_BYTES.length))) return 'damaged';
  if (rest < HEADER_BYTES) return 'incomplete';
  const length = bytes.readUInt32LE(offset + LENGTH_AT);
  const kind = RECORD_KINDS[bytes[offset + CHECKED_FROM] ?? RECORD_KINDS.length];
  if (length > MAX_PAYLOAD_BYTES || kind === undefined) return 'damaged';
  if (rest < HEADER_BYTES + length + TRAILER_BYTES) return 'incomplete';
  const end = offset + HEADER_BYTES + length;
  if (bytes.readUInt32LE(end) !== crc32(bytes.subarray(offset + CHECKED_FROM, end))) return 'damaged';
  const low = bytes.readUInt32LE(offset + SEQUENCE_AT);
  const sequence = low + TWO_TO_32 * bytes.readUInt32LE(offset + SEQUENCE_AT + 4);
  return { kind, sequence, payload: bytes.subarray(offset + HEADER_BYTES, end) };
}

/** Whether the bytes match the first `length` bytes of the mark. */
function isMark(bytes: Buffer, offset: number, length: number): boolean {
  for (let index = 0; index < length; index += 1) {
    if (bytes[offset + index] !== MARK_BYTES[index]) return false;
  }
  return true;
}

/** The frames of a whole segment, and its damage. */
export interface SegmentContents {
  /** Null when its header is damaged. */
  readonly format: number | null;
  readonly frames: readonly Frame[];
  /** Number of contiguous byte ranges without a frame. */
  readonly damagedRanges: number;
  /** Total size of these ranges. */
  readonly damagedBytes: number;
  /** End of the last intact frame; what follows is a torn tail. */
  readonly end: number;
}

/** Decodes a whole segment; accepts any bytes. */
export function readSegment(bytes: Buffer): SegmentContents {
  const frames: Frame[] = [];
  let damagedRanges = 0;
  let damagedBytes = 0;
  const { format, from } = segmentStart(bytes) ?? { format: null, from: bytes.length };
  if (!isKnownFormat(format))
    return { format, frames, damagedRanges: 1, damagedBytes: bytes.length, end: bytes.length };
  let offset = from;
  while (offset < bytes.length) {
    const found = frameAt(bytes, offset);
    if (found.kind === 'frame') frames.push(found.frame);
    const next = found.kind === 'incomplete' ? nextFrame(bytes, offset + 1) : found.next;
    if (found.kind === 'incomplete' && next === bytes.length) break;
    if (found.kind !== 'frame') {
      damagedRanges += 1;
      damagedBytes += next - offset;
    }
    offset = next;
  }
  return { format, frames, damagedRanges, damagedBytes, end: offset };
}
