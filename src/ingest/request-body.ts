import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { malformed, HttpError, tooLarge } from './http-error.ts';

const unzip = promisify(gunzip);

/**
 * Reads and decompresses the body of a request.
 *
 * @param maxBytes limit of the body, both compressed and decompressed
 * @throws HttpError 413 for a larger body, 415 for an encoding other than gzip, 400 for a broken one
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const packing = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (packing !== 'identity' && packing !== 'gzip') {
    const message = `The content encoding is ${JSON.stringify(packing.slice(0, 80))}; allowed: gzip, identity.`;
    throw new HttpError(415, message, { headers: { 'accept-encoding': 'gzip, identity' } });
  }
  const sent = await readSent(request, maxBytes);
  return packing === 'gzip' ? unpack(sent, maxBytes) : sent;
}

const bodyTooLarge = (maxBytes: number): HttpError => tooLarge(`The body is larger than ${maxBytes} bytes.`);

/** A body above the limit is not buffered; its rest is drained, so that the client can read the response. */
function readSent(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const keep = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes <= maxBytes) chunks.push(chunk);
      else rejectOversized();
    };
    const rejectOversized = (): void => {
      chunks.length = 0;
      request.off('data', keep).resume();
      reject(bodyTooLarge(maxBytes));
    };
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) {
      rejectOversized();
      return;
    }
    request.on('data', keep);
    request.on('end', () => resolve(Buffer.concat(chunks)));
    const cutOff = (): void => reject(malformed('it ends before its length'));
    request.on('error', cutOff);
    request.on('close', cutOff);
  });
}

/** Decompression bomb guard: stops at the limit. */
async function unpack(sent: Buffer, maxBytes: number): Promise<Buffer> {
  try {
    return await unzip(sent, { maxOutputLength: maxBytes });
  } catch (cause) {
    if (cause instanceof RangeError) throw bodyTooLarge(maxBytes);
    throw malformed('it is no gzip, or a part of one');
  }
}
