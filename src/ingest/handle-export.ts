import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { ConcurrencyLimit } from './concurrency-limit.ts';
import { type TakeBatch, takeSpans } from './deliver-spans.ts';
import { busy, HttpError } from './http-error.ts';
import { decodeJsonSpans } from './decode/json-spans.ts';
import { decodeProtobufSpans } from './decode/protobuf-spans.ts';
import { encodingOf, type IngestReply, requireEncoding, toRefused, toSuccess } from './reply.ts';
import { readBody } from './request-body.ts';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * Lets only those in who know the token; how long the comparison takes tells nothing about it.
 *
 * @param token null lets everybody in
 * @throws Refusal 401
 */
function requireToken({ authorization = '' }: IncomingHttpHeaders, token: string | null): void {
  if (token === null) return;
  const [, given = ''] = /^bearer +(.+)$/i.exec(authorization.trim()) ?? [];
  if (timingSafeEqual(digest(given), digest(token))) return;
  throw new HttpError(401, 'A bearer token is needed: set the header "authorization" to "Bearer <token>".', {
    headers: { 'www-authenticate': 'Bearer' },
  });
}

/** What answering needs. */
export interface ExportHandlerParts {
  readonly deliver: TakeBatch;
  /** What senders have to know; null when nothing. */
  readonly token: string | null;
  readonly maxBodyBytes: number;
  readonly concurrency: ConcurrencyLimit;
  /** Told of what went wrong on our side; the sender learns only the kind. */
  readonly onProblem: (error: unknown) => void;
}

/** Where OTLP over HTTP brings traces. */
export const TRACES_PATH = '/v1/traces';
const RETRY_AFTER_SECONDS = 1;

/** Answers one request. Never rejects: whatever goes wrong is an answer. */
export async function handleExport(
  request: IncomingMessage,
  parts: ExportHandlerParts,
): Promise<IngestReply> {
  try {
    return await takeRequest(request, parts);
  } catch (error) {
    const encoding = encodingOf(request.headers['content-type']);
    if (error instanceof HttpError) return toRefused(error, encoding);
    parts.onProblem(error);
    return toRefused(new HttpError(500, 'An error of the receiver; it was told there.'), encoding);
  }
}

async function takeRequest(request: IncomingMessage, parts: ExportHandlerParts): Promise<IngestReply> {
  requireRoute(request);
  requireNoBrowser(request);
  requireToken(request.headers, parts.token);
  const encoding = requireEncoding(request.headers);
  const release = parts.concurrency.acquire();
  if (release === null) throw busy('Too many requests at once.', RETRY_AFTER_SECONDS);
  try {
    const body = await readBody(request, parts.maxBodyBytes);
    const spans = encoding === 'json' ? decodeJsonSpans(body) : decodeProtobufSpans(body);
    return toSuccess(await takeSpans(spans, parts.deliver, parts.onProblem), encoding);
  } finally {
    release();
  }
}

/** @throws Refusal 404 or 405 */
function requireRoute({ url = '/', method = 'GET' }: IncomingMessage): void {
  const [path] = url.split('?', 1);
  if (path !== TRACES_PATH) throw new HttpError(404, `There is nothing here; traces go to ${TRACES_PATH}.`);
  if (method === 'POST') return;
  throw new HttpError(405, 'Traces are sent with POST.', { headers: { allow: 'POST' } });
}

/** A page that somebody reads on this machine could reach a service that listens to this machine alone. @throws Refusal 403 */
function requireNoBrowser({ headers: { origin } }: IncomingMessage): void {
  if (origin !== undefined) throw new HttpError(403, 'Spans are not taken from pages in a browser.');
}
