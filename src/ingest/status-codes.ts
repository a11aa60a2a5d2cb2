import type { ObservedSpan } from '#facts/observed-span';

/** Status of a span by its number in OTLP. */
export const STATUS_CODES = ['unset', 'ok', 'error'] as const satisfies readonly ObservedSpan['statusCode'][];
