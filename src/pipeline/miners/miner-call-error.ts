import { CategorizedError, type ErrorCategory, type SUBSTEPS } from '#semconv';
import { isError } from '#semconv/message-of';

/** The kinds of call to a miner: the substeps of communication. */
export type Operation = (typeof SUBSTEPS.communication)[number];

/** The part of a reply that had arrived when the call failed. */
export interface CallProgress {
  /** Null when no reply came. */
  readonly statusCode: number | null;
  /** Bytes of the reply that were read. */
  readonly bytes: number;
  /** The unknown status of a reply that was otherwise readable. */
  readonly wireStatus: string | null;
}

const NOTHING: CallProgress = { statusCode: null, bytes: 0, wireStatus: null };

/** Transient failures. */
const TRANSIENT: readonly ErrorCategory[] = [
  'timeout',
  'connection',
  'handshake',
  'http_5xx',
  'rate_limited_upstream',
];
/** Client errors that are transient: missing or expired token, request timeout, too early. */
const TRANSIENT_STATUS_CODES: readonly number[] = [401, 408, 425];

/**
 * Whether a retry of the call can succeed.
 *
 * A rejected or malformed initiate-fetch is final. A poll is always retried, because the miner has accepted the job. A
 * token reply or a file may be unreadable while the miner still writes, and a 401 passes with a fresh token.
 */
function isTransient(operation: Operation, category: ErrorCategory, statusCode: number | null): boolean {
  if (category === 'validator_internal') return false;
  if (TRANSIENT.includes(category) || operation === 'poll_job_status') return true;
  if (operation === 'kerchunk_request' && category === 'invalid_response') return true;
  return statusCode !== null && TRANSIENT_STATUS_CODES.includes(statusCode);
}

/** A call to a miner without a valid reply. Neither its message nor its causes hold an address or a token. */
export class MinerCallError extends CategorizedError {
  readonly operation: Operation;
  readonly statusCode: number | null;
  readonly bytes: number;
  readonly wireStatus: string | null;

  constructor(
    operation: Operation,
    category: ErrorCategory,
    what: { readonly message: string; readonly progress?: CallProgress; readonly cause?: Error },
  ) {
    const { statusCode, bytes, wireStatus } = what.progress ?? NOTHING;
    const retryable = isTransient(operation, category, statusCode);
    super(category, what.message, { retryable, cause: what.cause });
    this.name = 'MinerCallError';
    this.operation = operation;
    this.statusCode = statusCode;
    this.bytes = bytes;
    this.wireStatus = wireStatus;
  }

  /** The same failure, for another call that waited for the same thing. */
  of(operation: Operation): MinerCallError {
    const cause = isError(this.cause) ? { cause: this.cause } : {};
    return new MinerCallError(operation, this.category, { message: this.message, progress: this, ...cause });
  }
}
