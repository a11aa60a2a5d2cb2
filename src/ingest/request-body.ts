import type { IncomingHttpHeaders } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, inflate, inflateRaw } from 'node:zlib';
import Zstd from 'numcodecs/zstd';
import { HttpError, malformed, tooLarge } from './http-error.ts';
import { isError } from '#semconv/message-of';

/** Unpacks a body to at most so many bytes; a RangeError says that there are more. */
type Unpacker = (sent: Buffer, maxBytes: number) => Promise<Buffer>;

const [gunzipAsync, inflateAsync, inflateRawAsync] = [gunzip, inflate, inflateRaw].map((unzip) =>
  promisify<Buffer, { readonly maxOutputLength: number }, Buffer>(unzip),
) as [ZlibUnpacker, ZlibUnpacker, ZlibUnpacker];
type ZlibUnpacker = (sent: Buffer, options: { readonly maxOutputLength: number }) => Promise<Buffer>;

/** The used part of the codec library, whose own types do not resolve under this module system. */
interface Decoder {
  decode(bytes: Uint8Array): Promise<Uint8Array>;
}

/** The content encodings that are read: those of OpenTelemetry's SDKs and of the Collector. */
const UNPACKERS = {
  gzip: (sent, maxOutputLength) => gunzipAsync(sent, { maxOutputLength }),
  // By the standard it is zlib's format; some programs send the bare stream.
  deflate: (sent, maxOutputLength) =>
    (hasZlibHeader(sent) ? inflateAsync : inflateRawAsync)(sent, { maxOutputLength }),
  zstd: unpackZstd,
  identity: (sent) => Promise.resolve(sent),
} as const satisfies Readonly<Record<string, Unpacker>>;
export type Packing = keyof typeof UNPACKERS;
const PACKINGS = Object.keys(UNPACKERS) as Packing[];

/** @throws HttpError 415 for a content encoding that is not read */
export function requirePacking({ 'content-encoding': encoding = 'identity' }: IncomingHttpHeaders): Packing {
  const name = encoding.trim().toLowerCase();
  const known = PACKINGS.find((packing) => packing === name);
  if (known !== undefined) return known;
  const allowed = PACKINGS.join(', ');
  const message = `The content encoding is ${JSON.stringify(name.slice(0, 80))}; allowed: ${allowed}.`;
  throw new HttpError(415, message, { headers: { 'accept-encoding': allowed } });
}

export const bodyTooLarge = (maxBytes: number): HttpError =>
  tooLarge(`The body is larger than ${maxBytes} bytes.`);

/**
 * Decompresses a body. Decompression bomb guard: stops at the limit.
 *
 * @throws HttpError 413 for more than `maxBytes`, 400 for a broken body
 */
export async function unpack(sent: Buffer, packing: Packing, maxBytes: number): Promise<Buffer> {
  try {
    return await UNPACKERS[packing](sent, maxBytes);
  } catch (cause) {
    if (cause instanceof HttpError) throw cause;
    if (isError(cause) && cause.name === 'RangeError') throw bodyTooLarge(maxBytes);
    throw malformed(`it is no ${packing}, or a part of one`);
  }
}

async function unpackZstd(sent: Buffer, maxBytes: number): Promise<Buffer> {
  if (zstdContentBound(sent) > maxBytes) throw bodyTooLarge(maxBytes);
  const decoder = new (Zstd as unknown as new () => Decoder)();
  const unpacked = await decoder.decode(sent);
  return Buffer.from(unpacked.buffer, unpacked.byteOffset, unpacked.byteLength);
}

const hasZlibHeader = (sent: Buffer): boolean =>
  sent.length >= 2 && ((sent[0] ?? 0) & 0x0f) === 8 && sent.readUInt16BE() % 31 === 0;

// RFC 8878, section 3.1.
const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const SKIPPABLE_MASK = 0xfffffff0;
/** The largest block after decompression. */
const MAX_BLOCK_BYTES = 128 * 1024;
/** What every decoder has to support, and what encoders stay below unless they are told otherwise. */
const MAX_WINDOW_BYTES = 8 * 1024 * 1024;
const RAW_OR_RLE = { raw: 0, rle: 1 } as const;

/**
 * Most bytes that zstd frames decompress to, as their headers have it: the content size where a frame tells it, else the
 * sum of its blocks. Checked before the decoder asks for memory.
 *
 * @throws HttpError 400 for bytes that are no such frames, or ask for a window that no sender of spans needs
 */
function zstdContentBound(bytes: Buffer): number {
  let total = 0;
  for (let at = 0; at < bytes.length;) {
    const frame = readFrame(bytes, at);
    total += frame.bound;
    at = frame.end;
  }
  return total;
}

interface FrameBound {
  readonly bound: number;
  readonly end: number;
}

function readFrame(bytes: Buffer, at: number): FrameBound {
  const magic = bytesAt(bytes, at, 4).readUInt32LE();
  if ((magic & SKIPPABLE_MASK) >>> 0 === SKIPPABLE_MAGIC)
    return { bound: 0, end: at + 8 + bytesAt(bytes, at + 4, 4).readUInt32LE() };
  if (magic !== FRAME_MAGIC) throw malformed('it is no zstd, or a part of one');
  const { contentSize, blocksAt, hasChecksum } = readHeader(bytes, at + 4);
  const blocks = readBlocks(bytes, blocksAt);
  return { bound: contentSize ?? blocks.bound, end: blocks.end + (hasChecksum ? 4 : 0) };
}

function readHeader(bytes: Buffer, at: number) {
  const descriptor = bytesAt(bytes, at, 1).readUInt8();
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const sizeFlag = descriptor >> 6;
  const sizeBytes = sizeFlag === 0 ? (isSingleSegment ? 1 : 0) : 2 ** sizeFlag;
  const windowBytes = isSingleSegment ? 0 : 1;
  if (windowBytes === 1) requireWindow(bytesAt(bytes, at + 1, 1).readUInt8());
  const sizeAt = at + 1 + windowBytes + dictionaryBytes;
  const blocksAt = sizeAt + sizeBytes;
  return {
    contentSize: sizeBytes === 0 ? null : readSize(bytesAt(bytes, sizeAt, sizeBytes)),
    blocksAt,
    hasChecksum: (descriptor & 0x04) !== 0,
  };
}

function readSize(field: Buffer): number {
  if (field.length === 8) return Number(field.readBigUInt64LE());
  return field.length === 2 ? field.readUInt16LE() + 256 : field.readUIntLE(0, field.length);
}

function requireWindow(descriptor: number): void {
  const base = 2 ** (10 + (descriptor >> 3));
  if (base + (base / 8) * (descriptor & 7) > MAX_WINDOW_BYTES)
    throw malformed(`its zstd window is larger than ${MAX_WINDOW_BYTES} bytes; use a lower level`);
}

function readBlocks(bytes: Buffer, from: number): FrameBound {
  let bound = 0;
  for (let at = from; ;) {
    const header = bytesAt(bytes, at, 3).readUIntLE(0, 3);
    const type = (header >> 1) & 3;
    const size = header >> 3;
    bound += type === RAW_OR_RLE.raw || type === RAW_OR_RLE.rle ? size : MAX_BLOCK_BYTES;
    at += 3 + (type === RAW_OR_RLE.rle ? 1 : size);
    if ((header & 1) === 1) return { bound, end: at };
  }
}

function bytesAt(bytes: Buffer, at: number, length: number): Buffer {
  if (at + length > bytes.length) throw malformed('it is no zstd, or a part of one');
  return bytes.subarray(at, at + length);
}
