import type { IncomingHttpHeaders } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { HttpError, malformed, tooLarge } from './http-error.ts';

const unzip = promisify(gunzip);
const PACKINGS = ['gzip', 'identity'] as const;
type Packing = (typeof PACKINGS)[number];

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
  if (packing === 'identity') return sent;
  try {
    return await unzip(sent, { maxOutputLength: maxBytes });
  } catch (cause) {
    if (cause instanceof RangeError) throw bodyTooLarge(maxBytes);
    throw malformed('it is no gzip, or a part of one');
  }
}
