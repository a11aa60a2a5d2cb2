import type { IncomingHttpHeaders } from 'node:http';
import { Metadata, status } from '@grpc/grpc-js';
import type { Reply } from '#http/reply';
import type { DeliveryResult } from './deliver-spans.ts';
import { HttpError } from './http-error.ts';
import { fieldTag } from './decode/protobuf-reader.ts';

/** The encodings of OTLP, by the content type that names them. */
const ENCODINGS = { 'application/x-protobuf': 'protobuf', 'application/json': 'json' } as const;
export type Encoding = (typeof ENCODINGS)[keyof typeof ENCODINGS];
const MEDIA_TYPES = Object.keys(ENCODINGS) as (keyof typeof ENCODINGS)[];

/** The encoding of a content type, parameters ignored; null for another type. */
export function encodingOf(contentType: string | undefined): Encoding | null {
  const [name = ''] = (contentType ?? '').split(';');
  const known = MEDIA_TYPES.find((type) => type === name.trim().toLowerCase());
  return known === undefined ? null : ENCODINGS[known];
}

/** The content type of an encoding. */
const mediaTypeOf = (encoding: Encoding): string =>
  encoding === 'json' ? 'application/json' : 'application/x-protobuf';

/** @throws HttpError 415 for a body that is neither protobuf nor JSON */
export function requireEncoding({ 'content-type': contentType }: IncomingHttpHeaders): Encoding {
  const encoding = encodingOf(contentType);
  if (encoding !== null) return encoding;
  throw new HttpError(
    415,
    `The content type is ${contentType === undefined ? 'absent' : JSON.stringify(contentType.slice(0, 80))}; ` +
      `allowed: ${MEDIA_TYPES.join(', ')}.`,
  );
}

/** A response to a sender, in the encoding of its request. */
export interface IngestReply extends Reply {
  readonly body: Buffer;
}

/** ExportTraceServiceResponse: empty when every span was accepted, else a partial success. */
export function toSuccessReply(
  { rejectedSpans, errorMessage }: DeliveryResult,
  encoding: Encoding,
): IngestReply {
  const headers = { 'content-type': mediaTypeOf(encoding) };
  if (encoding === 'json') {
    const partialSuccess = { rejectedSpans: String(rejectedSpans), errorMessage };
    return { status: 200, headers, body: toJson(rejectedSpans === 0 ? {} : { partialSuccess }) };
  }
  if (rejectedSpans === 0) return { status: 200, headers, body: Buffer.alloc(0) };
  const partialSuccess = Buffer.concat([
    varintField(1, rejectedSpans),
    bytesField(2, Buffer.from(errorMessage)),
  ]);
  return { status: 200, headers, body: bytesField(1, partialSuccess) };
}

/** google.rpc.Status with the message alone, in the encoding of the request; JSON when that is unknown. */
export function toErrorReply(
  { status, message, headers }: HttpError,
  encoding: Encoding | null,
): IngestReply {
  const body = encoding === 'protobuf' ? bytesField(2, Buffer.from(message)) : toJson({ message });
  return { status, headers: { ...headers, 'content-type': mediaTypeOf(encoding ?? 'json') }, body };
}

/** The codes of gRPC for the statuses of HTTP; any other is an error on our side. */
const CODES: Readonly<Record<number, status>> = {
  400: status.INVALID_ARGUMENT,
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  404: status.UNIMPLEMENTED,
  408: status.DEADLINE_EXCEEDED,
  413: status.RESOURCE_EXHAUSTED,
  415: status.UNIMPLEMENTED,
  503: status.UNAVAILABLE,
};
/** Some clients take no more than 8 KiB of headers, which these texts are. */
const MAX_DETAILS = 1000;

/** An error as the status of a call of gRPC. */
export function toGrpcStatus({ status: httpStatus, message, headers }: HttpError) {
  const code = CODES[httpStatus] ?? status.INTERNAL;
  // Half a surrogate pair, which has no bytes of its own, would throw while it is sent.
  const details = Buffer.from(message.slice(0, MAX_DETAILS)).toString();
  const metadata = new Metadata();
  const retryAfter = headers['retry-after'];
  if (retryAfter === undefined) return { code, details, metadata };
  const retryInfo = bytesField(1, varintField(1, Number(retryAfter)));
  metadata.set('grpc-status-details-bin', toStatusDetails(code, details, retryInfo));
  // Where the SDK for Python looks.
  metadata.set('google.rpc.retryinfo-bin', retryInfo);
  return { code, details, metadata };
}

/** google.rpc.Status with a google.rpc.RetryInfo, without which OTLP over gRPC takes many a refusal as final. */
const toStatusDetails = (code: number, message: string, retryInfo: Buffer): Buffer =>
  Buffer.concat([
    varintField(1, code),
    bytesField(2, Buffer.from(message)),
    bytesField(3, Buffer.concat([bytesField(1, Buffer.from(RETRY_INFO)), bytesField(2, retryInfo)])),
  ]);

const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo';

const toJson = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

const varintField = (number: number, value: number): Buffer =>
  Buffer.from([fieldTag(number, 'varint'), ...varint(value)]);

/** A field that holds bytes, text or a message. */
const bytesField = (number: number, content: Buffer): Buffer =>
  Buffer.concat([Buffer.from([fieldTag(number, 'bytes'), ...varint(content.length)]), content]);

/** Protobuf varint: seven bits per byte, lowest first; the high bit marks that more bytes follow. */
function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value % 0x80) + 0x80, ...varint(Math.floor(value / 0x80))];
}
