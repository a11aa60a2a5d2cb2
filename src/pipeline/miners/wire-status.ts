import { CategorizedError } from '#semconv';
import { quoteUntrusted } from './untrusted-text.ts';

/**
 * The statuses of the protocol by request, and the kind of reply that each means.
 *
 * A wire status is never stored as a status of ours: it is mapped by this table, and an unknown one is an error.
 */
export const WIRE_STATUSES = {
  initiate_fetch: {
    fetch_accepted: 'accepted',
    completed: 'ready',
    forecast_ready: 'ready',
    fetch_rejected: 'rejected',
    error: 'error',
  },
  poll_job_status: {
    received: 'running',
    processing: 'running',
    fetch_queued: 'running',
    fetching_gfs: 'running',
    hashing_input: 'running',
    input_hashed_awaiting_validation: 'running',
    in_progress: 'running',
    inference_started: 'running',
    running: 'running',
    running_inference: 'running',
    processing_output: 'running',
    completed: 'completed',
    failed: 'failed',
    error: 'failed',
    fetch_error: 'failed',
    inference_failed: 'failed',
    input_hash_mismatch: 'failed',
    input_hash_timeout: 'failed',
    input_poll_error: 'failed',
    not_found: 'not_found',
  },
  kerchunk_request: {
    completed: 'ready',
    processing: 'processing',
    error: 'error',
    not_found: 'not_found',
  },
} as const;

/** A request that a miner answers with a status. */
export type RequestType = keyof typeof WIRE_STATUSES;
/** The kinds of reply to a request. */
export type ReplyKind<Type extends RequestType> =
  (typeof WIRE_STATUSES)[Type][keyof (typeof WIRE_STATUSES)[Type]];

function isKnown<Type extends RequestType>(
  statuses: (typeof WIRE_STATUSES)[Type],
  status: PropertyKey,
): status is keyof (typeof WIRE_STATUSES)[Type] {
  return Object.hasOwn(statuses, status);
}

/**
 * Maps a wire status to its kind of reply.
 *
 * @throws CategorizedError `invalid_response` for a status that is not in the table
 */
export function classifyWireStatus<Type extends RequestType>(type: Type, status: string): ReplyKind<Type> {
  const statuses: (typeof WIRE_STATUSES)[Type] = WIRE_STATUSES[type];
  if (isKnown<Type>(statuses, status)) return statuses[status];
  throw new CategorizedError(
    'invalid_response',
    `the miner answered ${type} with status ${quoteUntrusted(status)}; allowed: ${Object.keys(statuses).join(', ')}. ` +
      'Either the miner uses another protocol version, or the status has to be added to the table.',
  );
}
