import type { ErrorCategory } from './error-categories.ts';
import type { TransportOutcome } from './vocabulary.ts';

/**
 * The transport outcome of a call that failed with this category. Transport and content are two facts:
 *
 * - `failure`: no valid reply came. These are the categories that count at the call only, `TRANSPORT_CATEGORIES`.
 * - `success`: a valid reply came, and its content is the failure. A polite rejection is a hosting success.
 * - null: the validator or its upstream is at fault, or nobody knows; the call says nothing about the miner's hosting.
 */
export const TRANSPORT_OF: Readonly<Record<ErrorCategory, TransportOutcome | null>> = {
  timeout: 'failure',
  connection: 'failure',
  handshake: 'failure',
  http_4xx: 'failure',
  http_5xx: 'failure',
  rejected_identity: 'success',
  invalid_response: 'failure',
  not_found: 'failure',
  verification_manifest: 'success',
  verification_signature: 'success',
  verification_hash_changed: 'success',
  verification_freeze_window: 'success',
  verification_chunk: 'success',
  data_missing_variable: 'success',
  data_coverage: 'success',
  data_extreme: 'success',
  miner_inference: 'success',
  rate_limited_upstream: 'failure',
  truth_not_ready: null,
  truth_missing: null,
  out_of_memory: null,
  lock_busy: null,
  // The reply was read to know that its job is another miner's.
  isolation_violation: 'success',
  process_crash: null,
  validator_internal: null,
  unknown: null,
};
