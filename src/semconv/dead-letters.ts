/**
 * Why a span is kept in `dead_letter_spans` instead of being recorded: it breaks the vocabulary, its clock cannot be
 * right, its part of the log was dropped by retention, or the database refuses it. The table allows no other.
 */
export const DEAD_LETTER_REASONS = [
  'invalid_attribute',
  'missing_attribute',
  'clock_out_of_range',
  'partition_dropped',
  'refused_by_database',
] as const;
export type DeadLetterReason = (typeof DEAD_LETTER_REASONS)[number];
