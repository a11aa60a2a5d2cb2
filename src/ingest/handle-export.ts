import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { ConcurrencyLimit } from './concurrency-limit.ts';
import { type DeliverBatch, deliverSpans } from './deliver-spans.ts';
import { busy, HttpError } from './http-error.ts';
import { decodeJsonSpans } from './decode/json-spans.ts';
import { decodeProtobufSpans } from './decode/protobuf-spans.ts';
import { encodingOf, type IngestReply, requireEncoding, toErrorReply, toSuccessReply } from './reply.ts';
import { readBody } from './request-body.ts';

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
export interface ExportHandlerParts {
  readonly deliver: DeliverBatch;
  /** Bearer token that senders must send; null for none. */
  readonly token: string | null;
  readonly maxBodyBytes: number;
  readonly concurrency: ConcurrencyLimit;
  /** Receives every error on our side; the sender gets only its kind. */
  readonly onProblem: (error: unknown) => void;
}

/** The path of OTLP/HTTP for traces. */
export const TRACES_PATH = '/v1/traces';
const RETRY_AFTER_SECONDS = 1;

/** Handles one export request. Never rejects: every error becomes a reply. */
export async function handleExport(
  request: IncomingMessage,
  parts: ExportHandlerParts,
): Promise<IngestReply> {
  try {
    return await receiveSpans(request, parts);
  } catch (error) {
    const encoding = encodingOf(request.headers['content-type']);
    if (error instanceof HttpError) return toErrorReply(error, encoding);
    parts.onProblem(error);
    return toErrorReply(new HttpError(500, 'Internal error; the receiver has the details.'), encoding);
  }
}

async function receiveSpans(request: IncomingMessage, parts: ExportHandlerParts): Promise<IngestReply> {
  requireRoute(request);
  requireNoBrowser(request);
  requireToken(request.headers, parts.token);
  const encoding = requireEncoding(request.headers);
  const release = parts.concurrency.acquire();
  if (release === null) throw busy('Too many requests at once.', RETRY_AFTER_SECONDS);
  try {
    const body = await readBody(request, parts.maxBodyBytes);
    const spans = encoding === 'json' ? decodeJsonSpans(body) : decodeProtobufSpans(body);
    return toSuccessReply(await deliverSpans(spans, parts.deliver, parts.onProblem), encoding);
  } finally {
    release();
  }
}

/** @throws HttpError 404 or 405 */
function requireRoute({ url = '/', method = 'GET' }: IncomingMessage): void {
  const [path] = url.split('?', 1);
  if (path !== TRACES_PATH) throw new HttpError(404, `Not found; send traces to ${TRACES_PATH}.`);
  if (method === 'POST') return;
  throw new HttpError(405, 'Method not allowed; send traces with POST.', { headers: { allow: 'POST' } });
}

/** Guards a loopback listener against web pages open in a browser of this machine. @throws HttpError 403 */
function requireNoBrowser({ headers: { origin } }: IncomingMessage): void {
  if (origin !== undefined) throw new HttpError(403, 'Spans from web pages are not accepted.');
}
