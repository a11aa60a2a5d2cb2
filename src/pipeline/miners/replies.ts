import { CategorizedError } from '#semconv';
import type { ForecastAccess } from './miner.ts';
import {
  initiateFetchReplySchema,
  parseReply,
  pollReplySchema,
  toForecastAccess,
  tokenReplySchema,
} from './protocol.ts';
import { sanitizeUntrusted } from './untrusted-text.ts';
import { classifyWireStatus } from './wire-status.ts';

/** A miner's reply to a request for a forecast. */
export type InitiateFetchReply =
  | { readonly kind: 'accepted'; readonly jobId: string }
  /** The forecast is already complete. */
  | { readonly kind: 'ready'; readonly jobId: string; readonly access?: ForecastAccess }
  /** `identity`: the miner is not, or no longer, the hotkey that was expected. */
  | { readonly kind: 'rejected'; readonly reason: string; readonly identity: boolean }
  | { readonly kind: 'error'; readonly message: string };

/** A miner's reply to a poll of its job. `startedAt` is when its inference began, by its own clock, where it says. */
export type PollReply = { readonly startedAt?: Date | null } & PollState;
type PollState =
  /** `progress` is 0 to 100, or null when the miner reported none. */
  | { readonly kind: 'running'; readonly progress: number | null; readonly wireStatus: string }
  | { readonly kind: 'completed' }
  /** `progress` is how far the inference had come, where the miner says. */
  | { readonly kind: 'failed'; readonly message: string; readonly progress?: number | null }
  | { readonly kind: 'not_found' };

/** The progress that a poll found, 0 to 100: a completed forecast is at 100. Null where nothing is known of it. */
export function progressOf(reply: PollReply): number | null {
  switch (reply.kind) {
    case 'running':
      return reply.progress;
    case 'completed':
      return 100;
    case 'failed':
      return reply.progress ?? null;
    case 'not_found':
      return null;
  }
}

/** A miner's reply to a request for access to its forecast. */
export type TokenReply =
  | { readonly kind: 'ready'; readonly access: ForecastAccess }
  | { readonly kind: 'processing' }
  | { readonly kind: 'error'; readonly message: string }
  | { readonly kind: 'not_found' };

/** A parsed reply, with the status that the miner wrote. */
export interface ParsedReply<Reply> {
  readonly reply: Reply;
  readonly wireStatus: string;
}

const toMessage = (
  message: string | null | undefined,
  wireStatus: string,
  secrets: readonly string[],
): string =>
  message ? sanitizeUntrusted(message, secrets) : `the miner answered "${wireStatus}" and gave no message`;

function requireReplyJobId(jobId: string | null | undefined, wireStatus: string): string {
  if (jobId) return jobId;
  throw new CategorizedError('invalid_response', `the miner answered "${wireStatus}" without a job_id`);
}

/** Parses the reply to an initiate-fetch. `secrets` are redacted from messages. */
export function readInitiateFetchReply(
  body: unknown,
  secrets: readonly string[],
): ParsedReply<InitiateFetchReply> {
  const parsed = parseReply(initiateFetchReplySchema, body);
  const wireStatus = parsed.status;
  const kind = classifyWireStatus('initiate_fetch', wireStatus);
  const message = toMessage(parsed.message, wireStatus, secrets);
  switch (kind) {
    case 'accepted':
      return { wireStatus, reply: { kind, jobId: requireReplyJobId(parsed.job_id, wireStatus) } };
    case 'ready': {
      const access = toForecastAccess(parsed);
      return {
        wireStatus,
        reply: { kind, jobId: requireReplyJobId(parsed.job_id, wireStatus), ...(access && { access }) },
      };
    }
    case 'rejected': {
      const named = /hotkey verification failed/i.test(parsed.message ?? '');
      const differs = Boolean(parsed.actual_hotkey) && parsed.actual_hotkey !== parsed.expected_hotkey;
      return { wireStatus, reply: { kind, reason: message, identity: named || differs } };
    }
    case 'error':
      return { wireStatus, reply: { kind, message } };
  }
}

/** Parses the reply to a poll. Progress is clamped to 0…100; a missing one is null, not 0. */
export function readPollReply(body: unknown, secrets: readonly string[]): ParsedReply<PollReply> {
  const { status: wireStatus, message, ...fields } = parseReply(pollReplySchema, body);
  const started = fields.inference_started_at ?? fields.started_at;
  const start = started == null ? {} : { startedAt: new Date(started) };
  const kind = classifyWireStatus('poll_job_status', wireStatus);
  const progress = fields.progress == null ? null : Math.min(100, Math.max(0, fields.progress));
  switch (kind) {
    case 'running':
      return { wireStatus, reply: { ...start, kind, progress, wireStatus } };
    case 'failed':
      return {
        wireStatus,
        reply: { ...start, kind, message: toMessage(message, wireStatus, secrets), progress },
      };
    case 'completed':
    case 'not_found':
      return { wireStatus, reply: { ...start, kind } };
  }
}

/**
 * Parses the reply to a request for access.
 *
 * @throws CategorizedError `invalid_response` when the status is ready and token, URL or hash is missing
 */
export function readTokenReply(body: unknown, secrets: readonly string[]): ParsedReply<TokenReply> {
  const parsed = parseReply(tokenReplySchema, body);
  const wireStatus = parsed.status;
  const kind = classifyWireStatus('kerchunk_request', wireStatus);
  switch (kind) {
    case 'ready': {
      const access = toForecastAccess(parsed);
      if (access !== null) return { wireStatus, reply: { kind, access } };
      throw new CategorizedError(
        'invalid_response',
        'the miner reports its forecast as ready, but not all of access_token, zarr_store_url and verification_hash are present',
      );
    }
    case 'error':
      return { wireStatus, reply: { kind, message: toMessage(parsed.message, wireStatus, secrets) } };
    case 'processing':
    case 'not_found':
      return { wireStatus, reply: { kind } };
  }
}
