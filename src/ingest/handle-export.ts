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
  /** Requests that are unpacked at once. */
  readonly unpacking: ConcurrencyLimit;
  /** Requests that are decoded or written at once. */
  readonly concurrency: ConcurrencyLimit;
  /** Bytes of all unpacked bodies that are not answered. */
  readonly unpackedBytes: Budget;
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

/** A body that is always kept once it is unpacked: no number of large ones shuts it out. */
const SMALL_BYTES = 64 * 1024;

/** Unpacks, decodes and delivers a body, whichever protocol brought it. @throws HttpError, or an error on our side */
export async function exportSpans(
  { body, packing, encoding, token }: ArrivedBody,
  parts: ExportHandlerParts,
): Promise<DeliveryResult> {
  const { unpacking, concurrency, unpackedBytes, maxBodyBytes } = parts;
  const unpacked = await within(unpacking, body.length, () => unpack(body, packing, maxBodyBytes));
  // What is unpacked is what it costs: a thousand bytes may hold half a million spans.
  const { length } = unpacked;
  const held = length > SMALL_BYTES ? length : 0;
  if (!unpackedBytes.reserve(held)) throw busy('Too many bodies at once.', RETRY_AFTER_SECONDS);
  const limit = new ItemLimit(parts.items);
  try {
    return await within(concurrency, length, () => {
      const options = { limit, isWanted: isStep };
      const decoded =
        encoding === 'json' ? decodeJsonSpans(unpacked, options) : decodeProtobufSpans(unpacked, options);
      return deliverSpans(decoded, { ...parts, token });
    });
  } finally {
    limit.release();
    unpackedBytes.release(held);
  }
}

/** @throws HttpError 503 when no slot became free in time, and whatever the work throws */
async function within<Result>(
  concurrency: ConcurrencyLimit,
  weight: number,
  work: () => Promise<Result>,
): Promise<Result> {
  const release = await concurrency.acquire(weight);
  if (release === null) throw busy('Too many requests at once.', RETRY_AFTER_SECONDS);
  try {
    return await work();
  } finally {
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
