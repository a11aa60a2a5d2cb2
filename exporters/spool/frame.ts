import { crc32 } from 'node:zlib';

/** What a record of the spool is. */
export const RECORD_KINDS = ['started', 'ended', 'whole', 'closed', 'carried'] as const;
/**
 * - `started`, `ended`: a span as it was observed.
 * - `whole`: an ended span whose start could not be kept: the first that is told of it.
 * - `closed`: the closing of a span that never told its end, or whose end could not be kept.
 * - `carried`: the start of a span that still runs, written again before the segment that held it goes. It repeats the
 *   number of the start and is not delivered again.
 */
export type RecordKind = (typeof RECORD_KINDS)[number];

/** One record of the spool. */
export interface Frame {
  readonly kind: RecordKind;
  /** Number of the record among those of its emitter, from 1. */
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** Bytes before the payload: mark (2), kind (1), zero (1), length (4), sequence (8), checksum (4). */
export const HEADER_BYTES = 20;
/** Begins every frame; after damage the next frame is looked for by it. */
const MARK = Buffer.from([0xb6, 0x08]);
/** Longest payload that is believed; a damaged length must not ask for all memory. */
export const MAX_PAYLOAD_BYTES = 16 * 1024 * 1024;

const CHECKED_FROM = 2;
const LENGTH_AT = 4;
const SEQUENCE_AT = 8;
const CHECKSUM_AT = 16;

/** The checksum covers everything but the mark and itself. */
function checksumOf(header: Uint8Array, payload: Uint8Array): number {
  return crc32(payload, crc32(header.subarray(CHECKED_FROM, CHECKSUM_AT)));
}

/** The bytes of a record as they stand in a segment. */
export function encodeFrame({ kind, sequence, payload }: Frame): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  MARK.copy(bytes);
  bytes[2] = RECORD_KINDS.indexOf(kind);
  bytes[3] = 0;
  bytes.writeUInt32LE(payload.length, LENGTH_AT);
  bytes.writeBigUInt64LE(BigInt(sequence), SEQUENCE_AT);
  bytes.set(payload, HEADER_BYTES);
  bytes.writeUInt32LE(checksumOf(bytes, payload), CHECKSUM_AT);
  return bytes;
}

/** What stands at a place of a segment. */
export type FrameAt =
  | { readonly kind: 'frame'; readonly frame: Frame; readonly next: number }
  /** The bytes end before the frame does: it is being written, or its writer died. */
  | { readonly kind: 'incomplete' }
  /** No frame begins here; the next one that holds together begins at `next`, or none does. */
  | { readonly kind: 'damaged'; readonly next: number };

/** Reads the frame that begins at an offset. */
export function frameAt(bytes: Buffer, offset: number): FrameAt {
  const frame = tryFrame(bytes, offset);
  if (frame === 'incomplete') return { kind: 'incomplete' };
  if (frame !== 'damaged')
    return { kind: 'frame', frame, next: offset + HEADER_BYTES + frame.payload.length };
  return { kind: 'damaged', next: nextFrame(bytes, offset + 1) };
}

/** The next offset at which a whole frame stands; the end of the bytes when there is none. */
export function nextFrame(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(MARK, from); at !== -1; at = bytes.indexOf(MARK, at + 1)) {
    if (typeof tryFrame(bytes, at) === 'object') return at;
  }
  return bytes.length;
}

function tryFrame(bytes: Buffer, offset: number): Frame | 'incomplete' | 'damaged' {
  const rest = bytes.length - offset;
  if (!MARK.subarray(0, rest).equals(bytes.subarray(offset, offset + Math.min(rest, 2)))) return 'damaged';
  if (rest < HEADER_BYTES) return 'incomplete';
  const length = bytes.readUInt32LE(offset + LENGTH_AT);
  const kind = RECORD_KINDS[bytes[offset + 2] ?? RECORD_KINDS.length];
  if (length > MAX_PAYLOAD_BYTES || kind === undefined) return 'damaged';
  if (rest < HEADER_BYTES + length) return 'incomplete';
  const header = bytes.subarray(offset, offset + HEADER_BYTES);
  const payload = bytes.subarray(offset + HEADER_BYTES, offset + HEADER_BYTES + length);
  if (header.readUInt32LE(CHECKSUM_AT) !== checksumOf(header, payload)) return 'damaged';
  return { kind, sequence: Number(header.readBigUInt64LE(SEQUENCE_AT)), payload };
}

/** The frames of a whole segment, and how much of it is no frame. */
export interface SegmentContents {
  readonly frames: readonly Frame[];
  /** Stretches that hold no frame, each once. */
  readonly damages: number;
  /** Bytes of them. */
  readonly damagedBytes: number;
  /** Where the last whole frame ends; what follows is a torn tail. */
  readonly end: number;
}

/** Reads a segment from its first byte to its last, whatever is in it. */
export function readSegment(bytes: Buffer): SegmentContents {
  const frames: Frame[] = [];
  let damages = 0;
  let damagedBytes = 0;
  let offset = 0;
  while (offset < bytes.length) {
    const found = frameAt(bytes, offset);
    if (found.kind === 'frame') frames.push(found.frame);
    const next = found.kind === 'incomplete' ? nextFrame(bytes, offset + 1) : found.next;
    if (found.kind === 'incomplete' && next === bytes.length) break;
    if (found.kind !== 'frame') {
      damages += 1;
      damagedBytes += next - offset;
    }
    offset = next;
  }
  return { frames, damages, damagedBytes, end: offset };
}
