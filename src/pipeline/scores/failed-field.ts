import { GridTimeMissingError } from '#grids';
import type { ErrorCategory, FieldCheck } from '#semconv';
import { classifyError, isRetryable } from '#steps';

/** A field of a forecast that failed a check: it could not be read as it was frozen, or it was rejected by a gate. */
export interface FailedField {
  readonly kind: 'unread' | 'rejected';
  readonly check: FieldCheck;
  /** The error of the step where this field leaves the lead without a score. */
  readonly error: unknown;
}

/** The categories of reading errors that are about one field. All others, transport first, are about the whole store. */
const CHECK_OF_CATEGORY: Readonly<Partial<Record<ErrorCategory, FieldCheck>>> = {
  verification_chunk: 'manifest_mismatch',
  invalid_response: 'unreadable',
  not_found: 'unreadable',
};

/**
 * The check that a field failed, by the error of reading it. Null for an error that a retry may heal, such as a
 * lost connection or truth that cannot be read: no field is bad, and the next one would fail in the same way.
 */
export function failedCheckOf(error: unknown): FieldCheck | null {
  if (isRetryable(error)) return null;
  if (error instanceof GridTimeMissingError) return 'missing_time';
  return CHECK_OF_CATEGORY[classifyError(error)] ?? null;
}
