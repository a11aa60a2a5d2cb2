import type { ServerResponse } from 'node:http';
import { mediaTypeOf, type Encoding } from './media-type.ts';
import { fieldTag } from './protobuf-reader.ts';
import type { Refusal } from './refusal.ts';
import type { Taken } from './take-spans.ts';

/** What a sender is answered. */
export interface IngestReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** ExportTraceServiceResponse: empty when every span was taken. */
export function toSuccess({ rejectedSpans, errorMessage }: Taken, encoding: Encoding): IngestReply {
  const headers = { 'content-type': mediaTypeOf(encoding) };
  if (encoding === 'json') {
    const partialSuccess = { rejectedSpans: String(rejectedSpans), errorMessage };
    return { status: 200, headers, body: toJson(rejectedSpans === 0 ? {} : { partialSuccess }) };
  }
  if (rejectedSpans === 0) return { status: 200, headers, body: Buffer.alloc(0) };
  const partialSuccess = Buffer.concat([
    Buffer.from([fieldTag(1, 'varint'), ...varint(rejectedSpans)]),
    bytesField(2, Buffer.from(errorMessage)),
  ]);
  return { status: 200, headers, body: bytesField(1, partialSuccess) };
}

/** google.rpc.Status with the message alone, in the encoding of the request, or JSON where that had none. */
export function toRefused({ status, message, headers }: Refusal, encoding: Encoding | null): IngestReply {
  const body = encoding === 'protobuf' ? bytesField(2, Buffer.from(message)) : toJson({ message });
  return { status, headers: { ...headers, 'content-type': mediaTypeOf(encoding ?? 'json') }, body };
}

/** Sends a reply; nothing of it may be kept by a cache. */
export function sendReply(response: ServerResponse, { status, headers, body }: IngestReply): void {
  response.writeHead(status, { ...headers, 'content-length': body.length, 'cache-control': 'no-store' });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

const toJson = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/** A field that holds bytes, text or a message. */
const bytesField = (number: number, content: Buffer): Buffer =>
  Buffer.concat([Buffer.from([fieldTag(number, 'bytes'), ...varint(content.length)]), content]);

/** Seven bits a byte, the lowest first; the highest bit says that more follow. */
function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value % 0x80) + 0x80, ...varint(Math.floor(value / 0x80))];
}
