import type { IncomingHttpHeaders } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, inflate, inflateRaw } from 'node:zlib';
import Zstd from 'numcodecs/zstd';
import { HttpError, malformed, tooLarge } from './http-error.ts';
import { zstdContentBound } from './decode/zstd-frames.ts';

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
type Packing = keyof typeof UNPACKERS;
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
    if (cause instanceof RangeError) throw bodyTooLarge(maxBytes);
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
