import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { HttpRequest } from '#http/http-server';
import type { ConcurrencyLimit } from './concurrency-limit.ts';
import { type DeliveryParts, deliverSpans } from './deliver-spans.ts';
import { busy, HttpError, malformed } from './http-error.ts';
import { decodeJsonSpans } from './decode/json-spans.ts';
import { decodeProtobufSpans } from './decode/protobuf-spans.ts';
import { encodingOf, type IngestReply, requireEncoding, toErrorReply, toSuccessReply } from './reply.ts';
import { bodyTooLarge, requirePacking, unpack } from './request-body.ts';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * Checks the bearer token in constant time: the digests have one length, so timing reveals nothing about the token.
 *
 * @param token null allows every sender
 * @throws HttpError 401
 */
function requireToken({ authorization = '' }: IncomingHttpHeaders, token: string | null): void {
  if (token === null) return;
  const [, given = ''] = /^bearer +(.+)$/i.exec(authorization.trim()) ?? [];
  if (timingSafeEqual(digest(given), digest(token))) return;
  throw new HttpError(401, 'A bearer token is needed: set the header "authorization" to "Bearer <token>".', {
    headers: { 'www-authenticate': 'Bearer' },
  });
}

/** What the handler of an export request needs. */
export interface ExportHandlerParts extends DeliveryParts {
  /** Bearer token that senders must send; null for none. */
  readonly token: string | null;
  readonly maxBodyBytes: number;
  readonly concurrency: ConcurrencyLimit;
}

/** The path of OTLP/HTTP for traces. */
export const TRACES_PATH = '/v1/traces';
const RETRY_AFTER_SECONDS = 1;

/**
 * Checks a request before its body is read.
 *
 * @throws HttpError 401, 403 or 415
 */
export function admitExport({ headers }: HttpRequest, { token }: ExportHandlerParts): void {
  requireNoBrowser(headers);
  requireToken(headers, token);
  requireEncoding(headers);
  requirePacking(headers);
}

/** Handles one export request whose body has arrived. @throws HttpError, or an error on our side */
export async function handleExport(
  { headers, body }: HttpRequest,
  parts: ExportHandlerParts,
): Promise<IngestReply> {
  const encoding = requireEncoding(headers);
  const release = parts.concurrency.acquire();
  if (release === null) throw busy('Too many requests at once.', RETRY_AFTER_SECONDS);
  try {
    const unpacked = await unpack(body, requirePacking(headers), parts.maxBodyBytes);
    const decoded = encoding === 'json' ? decodeJsonSpans(unpacked) : decodeProtobufSpans(unpacked);
    return toSuccessReply(await deliverSpans(decoded, parts), encoding);
  } finally {
    release();
  }
}

/** The reply for whatever was thrown while a request was handled. */
export function toFailureReply(
  error: unknown,
  { headers }: HttpRequest,
  { maxBodyBytes, onProblem }: ExportHandlerParts,
  refused: number | null,
): IngestReply {
  const encoding = encodingOf(headers['content-type']);
  if (error instanceof HttpError) return toErrorReply(error, encoding);
  if (refused === 413) return toErrorReply(bodyTooLarge(maxBodyBytes), encoding);
  if (refused !== null) return toErrorReply(malformed('it ends before its length'), encoding);
  onProblem(error);
  return toErrorReply(new HttpError(500, 'Internal error; the receiver has the details.'), encoding);
}

/** 404 or 405, with the path and the method that are served. */
export function toMissingReply({ headers }: HttpRequest, allowed: readonly string[]): IngestReply {
  const error =
    allowed.length === 0
      ? new HttpError(404, `Not found; send traces to ${TRACES_PATH}.`)
      : new HttpError(405, 'Method not allowed; send traces with POST.', { headers: { allow: 'POST' } });
  return toErrorReply(error, encodingOf(headers['content-type']));
}

/** Guards a loopback listener against web pages open in a browser of this machine. @throws HttpError 403 */
function requireNoBrowser({ origin }: IncomingHttpHeaders): void {
  if (origin !== undefined) throw new HttpError(403, 'Spans from web pages are not accepted.');
}
