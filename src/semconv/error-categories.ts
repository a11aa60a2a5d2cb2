import type { StepName } from './vocabulary.ts';

/** Every failure has exactly one category, assigned where the error occurs. */
export const ERROR_CATEGORIES = [
  'timeout',
  'connection',
  'handshake',
  'http_4xx',
  'http_5xx',
  'rejected_identity',
  'invalid_response',
  'not_found',
  'verification_manifest',
  'verification_signature',
  'verification_hash_changed',
  'verification_freeze_window',
  'verification_chunk',
  'data_missing_variable',
  'data_coverage',
  'data_extreme',
  'miner_inference',
  'rate_limited_upstream',
  'truth_not_ready',
  'truth_missing',
  'out_of_memory',
  'lock_busy',
  'isolation_violation',
  'process_crash',
  'validator_internal',
  'unknown',
] as const;
export type ErrorCategory = (typeof ERROR_CATEGORIES)[number];

/** Who has to act on a failure. */
export const FAULT_PARTIES = ['miner', 'upstream', 'validator'] as const;
export type FaultParty = (typeof FAULT_PARTIES)[number];

/**
 * The party at fault for each category. A time-out or a lost connection is the miner's, since only miners are called.
 */
export const FAULT_OF: Record<ErrorCategory, FaultParty> = {
  timeout: 'miner',
  connection: 'miner',
  handshake: 'miner',
  http_4xx: 'miner',
  http_5xx: 'miner',
  rejected_identity: 'miner',
  invalid_response: 'miner',
  not_found: 'miner',
  verification_manifest: 'miner',
  verification_signature: 'miner',
  verification_hash_changed: 'miner',
  // The window opens with the run, and a late GFS or a full queue uses it up.
  verification_freeze_window: 'validator',
  verification_chunk: 'miner',
  data_missing_variable: 'miner',
  data_coverage: 'miner',
  data_extreme: 'miner',
  miner_inference: 'miner',
  rate_limited_upstream: 'upstream',
  truth_not_ready: 'upstream',
  truth_missing: 'upstream',
  out_of_memory: 'validator',
  lock_busy: 'validator',
  isolation_violation: 'validator',
  process_crash: 'validator',
  validator_internal: 'validator',
  unknown: 'validator',
};

/**
 * The party at fault for an error of a run's own steps: they call no miner, so what would be a miner's time-out or lost
 * connection is that of a store.
 */
export const faultOfRun = (category: ErrorCategory): FaultParty =>
  FAULT_OF[category] === 'miner' ? 'upstream' : FAULT_OF[category];

/** Categories already counted at the call to a miner; the step that encloses the call must not count them again. */
export const TRANSPORT_CATEGORIES: readonly ErrorCategory[] = [
  'timeout',
  'connection',
  'handshake',
  'http_4xx',
  'http_5xx',
  'not_found',
  'invalid_response',
  'rate_limited_upstream',
];

/**
 * Whether an error of this step counts in the errors of its miner. Every failure counts once, where it occurred: a
 * time-out at the communication, a rejected manifest at the verification. A crash ends a step together with the call
 * inside it, so it counts at the step only.
 */
export function countsAsError(step: StepName, category: ErrorCategory | null): boolean {
  if (category === null) return false;
  if (category === 'process_crash') return step !== 'communication';
  return step === 'communication' || !TRANSPORT_CATEGORIES.includes(category);
}

/**
 * An error that knows its category because it is thrown where the cause is known.
 *
 * Thrown by Barograph's own parts; a foreign error is classified by class, code and cause chain in `src/steps`.
 *
 * @example
 * ```ts
 * import { CategorizedError } from 'barograph';
 *
 * throw new CategorizedError('http_5xx', 'The miner asks to wait 60 s.', { retryable: true });
 * ```
 */
export class CategorizedError extends Error {
  readonly category: ErrorCategory;
  /** Whether a retry can help; false unless given. A rejected identity or a wrong hash does not heal by itself. */
  readonly retryable: boolean;

  constructor(
    category: ErrorCategory,
    message: string,
    options: { cause?: unknown; retryable?: boolean } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CategorizedError';
    this.category = category;
    this.retryable = options.retryable ?? false;
  }
}
