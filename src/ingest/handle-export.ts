import type { IncomingHttpHeaders } from 'node:http';
import { type Budget, RefusedRequest } from '#http/doors';
import type { HttpRequest } from '#http/http-server';
import { type DeliveryParts, type DeliveryResult, deliverSpans, isStep } from './deliver-spans.ts';
import type { ConcurrencyLimit } from './concurrency-limit.ts';
import { busy, HttpError } from './http-error.ts';
import { decodeJsonSpans } from './decode/json-spans.ts';
import { decodeProtobufSpans } from './decode/protobuf-spans.ts';
import { ItemLimit } from './decode/item-limit.ts';
import {
  type Encoding,
  encodingOf,
  type IngestReply,
  requireEncoding,
  toErrorReply,
  toSuccessReply,
} from './reply.ts';
import { bodyTooLarge, type Packing, requirePacking, unpack } from './request-body.ts';
import { findToken, type IngestToken } from './tokens.ts';

/**
 * The token of a request; one that may speak for anybody where no tokens are set.
 *
 * @throws HttpError 401
 */
export function requireToken(
  { authorization }: IncomingHttpHeaders,
  tokens: readonly IngestToken[],
): IngestToken {
  if (tokens.length === 0) return ANYBODY;
  const found = findToken(tokens, authorization);
  if (found !== null) return found;
  throw new HttpError(401, 'A bearer token is needed: set the header "authorization" to "Bearer <token>".', {
    headers: { 'www-authenticate': 'Bearer' },
  });
}

const ANYBODY: IngestToken = { token: '', validators: null };

/** What the handler of an export request needs. */
export interface ExportHandlerParts extends Omit<DeliveryParts, 'token'> {
  /** Bearer tokens, one of which senders must send; empty for none. */
  readonly tokens: readonly IngestToken[];
  readonly maxBodyBytes: number;
  /** Requests that are decoded or written at once. */
  readonly concurrency: ConcurrencyLimit;
  /** Items of all requests that are not answered. */
  readonly items: Budget;
}

/** The path of OTLP/HTTP for traces. */
export const TRACES_PATH = '/v1/traces';
const RETRY_AFTER_SECONDS = 1;

/**
 * Checks a request before its body is read.
 *
 * @throws HttpError 401, 403 or 415
 */
export function admitExport({ headers }: HttpRequest, { tokens }: ExportHandlerParts): void {
  requireNoBrowser(headers);
  requireToken(headers, tokens);
  requireEncoding(headers);
  requirePacking(headers);
}

/** Handles one export request whose body has arrived. @throws HttpError, or an error on our side */
export async function handleExport(
  { headers, body }: HttpRequest,
  parts: ExportHandlerParts,
): Promise<IngestReply> {
  const encoding = requireEncoding(headers);
  const token = requireToken(headers, parts.tokens);
  const packing = requirePacking(headers);
  return toSuccessReply(await exportSpans({ body, packing, encoding, token }, parts), encoding);
}

/** A body that has arrived whole, from a sender that may send it. */
export interface ArrivedBody {
  readonly body: Buffer;
  readonly packing: Packing;
  readonly encoding: Encoding;
  readonly token: IngestToken;
}

/** Unpacks, decodes and delivers a body, whichever protocol brought it. @throws HttpError, or an error on our side */
export async function exportSpans(
  { body, packing, encoding, token }: ArrivedBody,
  parts: ExportHandlerParts,
): Promise<DeliveryResult> {
  const limit = new ItemLimit(parts.items);
  const release = await parts.concurrency.acquire();
  if (release === null) throw busy('Too many requests at once.', RETRY_AFTER_SECONDS);
  try {
    const unpacked = await unpack(body, packing, parts.maxBodyBytes);
    const options = { limit, isWanted: isStep };
    const decoded =
      encoding === 'json' ? decodeJsonSpans(unpacked, options) : decodeProtobufSpans(unpacked, options);
    return await deliverSpans(decoded, { ...parts, token });
  } finally {
    limit.release();
    release();
  }
}

/** The reply for whatever was thrown while a request was handled. */
export const toFailureReply = (
  error: unknown,
  { headers }: HttpRequest,
  parts: ExportHandlerParts,
): IngestReply => toErrorReply(toHttpError(error, parts), encodingOf(headers['content-type']));

/** Whatever was thrown, as its sender may see it: an error on our side is told to nobody else. */
export function toHttpError(error: unknown, { maxBodyBytes, onProblem }: ExportHandlerParts): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof RefusedRequest) return fromRefusedRequest(error, maxBodyBytes);
  onProblem(error);
  return new HttpError(500, 'Internal error; the receiver has the details.');
}

function fromRefusedRequest(
  { statusCode, message, retryAfterSeconds }: RefusedRequest,
  maxBytes: number,
): HttpError {
  if (statusCode === 413) return bodyTooLarge(maxBytes);
  return retryAfterSeconds === null ? new HttpError(statusCode, message) : busy(message, retryAfterSeconds);
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
export function requireNoBrowser({ origin }: IncomingHttpHeaders): void {
  if (origin !== undefined) throw new HttpError(403, 'Spans from web pages are not accepted.');
}
