import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import Blosc from 'numcodecs/blosc';
import Lz4 from 'numcodecs/lz4';
import Zstd from 'numcodecs/zstd';
import { decodeBzip2 } from './bzip2.ts';
import { isError } from '#semconv/message-of';

/** Undoes a compression. @throws Error for bytes that are not of the codec, or that unpack to more than `most` bytes */
export type Unpack = (bytes: Uint8Array, most: number) => Promise<Uint8Array>;

/** The used part of the codec library, whose own types do not resolve under this module system. */
interface DecoderFactory {
  fromConfig(configuration: object): { decode(bytes: Uint8Array): Promise<Uint8Array> };
}
type ZlibFunction = (bytes: Uint8Array, options: { maxOutputLength: number }) => Promise<Uint8Array>;

const libraryDecoder = (library: unknown): ((bytes: Uint8Array) => Promise<Uint8Array>) => {
  const codec = (library as DecoderFactory).fromConfig({});
  return (bytes) => codec.decode(bytes);
};
const decodeBlosc = libraryDecoder(Blosc);
const decodeLz4 = libraryDecoder(Lz4);
const decodeZstd = libraryDecoder(Zstd);

/** Unpacks by a function of Node, which works beside the event loop and stops at the limit by itself. */
const byNode =
  (work: ZlibFunction): Unpack =>
  async (bytes, most) => {
    try {
      return await work(bytes, { maxOutputLength: Math.max(1, most) });
    } catch (error) {
      if (isError(error) && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE')
        throw tooMuch('more than that', most);
      throw error;
    }
  };

/** The codecs that compress. Each is stopped at a limit, or its size is known before anything is unpacked. */
export const UNPACK = {
  gzip: byNode(promisify(gunzip)),
  zlib: byNode(promisify(inflate)),
  blosc: async (bytes, most) => {
    // The decoder trusts the header: decoded size at byte 4, whole size at byte 12.
    requireAtMost(uint32(bytes, 4), most);
    if (uint32(bytes, 12) !== bytes.byteLength) throw new Error('it is truncated');
    return decodeBlosc(bytes);
  },
  bz2: async (bytes, most) => Promise.resolve(decodeBzip2(bytes, most)),
  lz4: async (bytes, most) => {
    // The decoded size stands before the block, which the decoder allocates for.
    requireAtMost(uint32(bytes, 0), most);
    return decodeLz4(bytes);
  },
  zstd: async (bytes, most) => {
    requireAtMost(zstdBytes(bytes, most), most);
    return decodeZstd(bytes);
  },
} as const satisfies Readonly<Record<string, Unpack>>;
export type UnpackName = keyof typeof UNPACK;

function requireAtMost(size: number, most: number): void {
  if (size > most) throw tooMuch(`${String(size)} bytes`, most);
}

const tooMuch = (what: string, most: number): Error =>
  new Error(`it unpacks to ${what}, where the array's chunks have ${String(most)} bytes`);

function uint32(bytes: Uint8Array, at: number): number {
  if (bytes.byteLength < at + 4)
    throw new Error(`it has ${String(bytes.byteLength)} bytes, too few for its header`);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at, true);
}

/** The polynomial of CRC-32C, its bits reversed. */
const CRC32C = 0x82f63b78;
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >>> 1) ^ CRC32C : crc >>> 1;
  return crc;
});

/** The bytes before their checksum. @throws Error where it is not theirs */
export function checkedBytes(bytes: Uint8Array): Uint8Array {
  // No Buffer, whose `slice` copies nothing: the library aligns numbers by it.
  const content = new Uint8Array(bytes.buffer, bytes.byteOffset, Math.max(0, bytes.byteLength - 4));
  let crc = 0xffffffff;
  for (const byte of content) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ byte) & 255] ?? 0);
  if ((crc ^ 0xffffffff) >>> 0 === uint32(bytes, content.byteLength)) return content;
  throw new Error('its checksum is that of other bytes');
}

const ZSTD_MAGIC = 0xfd2fb528;
const ZSTD_SKIPPABLE = 0x184d2a50;
const ZSTD_BLOCK_BYTES = 128 * 1024;
/** A compressed block does not tell its size: frames that are written as a stream are measured to full blocks. */
const ZSTD_SLACK_BYTES = 2 ** 20;

/** What the frames unpack to, from their headers and those of their blocks (RFC 8878, section 3.1), without unpacking. */
function zstdBytes(bytes: Uint8Array, most: number): number {
  let total = 0;
  for (let at = 0; at < bytes.byteLength;) {
    const magic = uint32(bytes, at);
    if ((magic & 0xfffffff0) >>> 0 === ZSTD_SKIPPABLE) {
      at += 8 + uint32(bytes, at + 4);
      continue;
    }
    if (magic !== ZSTD_MAGIC) throw new Error('it is no zstd frame');
    const frame = readFrame(bytes, at + 4);
    at = frame.end;
    total += frame.size ?? (frame.atMost > 2 * most + ZSTD_SLACK_BYTES ? frame.atMost : 0);
    if (total > most) break;
  }
  return total;
}

interface ZstdFrame {
  /** As its header says; null where it does not. */
  readonly size: number | null;
  /** The bytes of its blocks if each is full. */
  readonly atMost: number;
  readonly end: number;
}

function readFrame(bytes: Uint8Array, start: number): ZstdFrame {
  const descriptor = bytes[start] ?? 0;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >> 6;
  const sizeAt = start + 1 + (isSingleSegment ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] ?? 0);
  const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][sizeFlag] ?? 0;
  const blocks = readBlocks(bytes, sizeAt + sizeBytes);
  return {
    size: sizeBytes === 0 ? null : littleEndian(bytes, sizeAt, sizeBytes) + (sizeBytes === 2 ? 256 : 0),
    atMost: blocks.atMost,
    end: blocks.end + ((descriptor & 4) !== 0 ? 4 : 0),
  };
}

function readBlocks(bytes: Uint8Array, start: number): Pick<ZstdFrame, 'atMost' | 'end'> {
  let atMost = 0;
  let at = start;
  for (let isLast = false; !isLast;) {
    if (at + 3 > bytes.byteLength) throw new Error('it is truncated');
    const header = littleEndian(bytes, at, 3);
    const size = header >> 3;
    const kind = (header >> 1) & 3;
    isLast = (header & 1) === 1;
    atMost += kind === 2 ? ZSTD_BLOCK_BYTES : size;
    at += 3 + (kind === 1 ? 1 : size);
  }
  return { atMost, end: at };
}

function littleEndian(bytes: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let byte = length - 1; byte >= 0; byte -= 1) value = value * 256 + (bytes[at + byte] ?? 0);
  return value;
}
