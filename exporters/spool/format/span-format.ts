import type { ObservedSpan } from '#facts/observed-span';

/**
 * First byte of a payload. Layout: version; presence flags and phase; status; trace, span and parent id; name; start and end,
 * 64 bits each; message; dropped counts; attributes; events; resource members, length-prefixed; the sampled flag, one byte, where
 * it is known. Members are their names (length-prefixed, from the key dictionary), then a tag and a value for each. A reader
 * rejects any other version. Records of earlier ones end with the resource, and their readers ignore what follows it.
 */
export const FORMAT_VERSION = 1;

/** Presence flags of the optional fields; the phase is stored in the bits above them. */
export const HAS = { parent: 1, end: 2, message: 4, bits: 3 } as const;

export const PHASES: readonly ObservedSpan['phase'][] = ['started', 'ended'];
export const STATUSES: readonly ObservedSpan['statusCode'][] = ['unset', 'ok', 'error'];

/** Type tags of values. `none` is a value that JSON omits; `json` covers all but strings, numbers and booleans. */
export const TAG = { none: 0, text: 1, int32: 2, double: 3, false: 4, true: 5, json: 6 } as const;

/** Owners of members, with a key dictionary each: a span has other attributes at its start than at its end. */
export type KeyOwner = ObservedSpan['phase'] | 'event' | 'resource';

/** Escape value: the instant does not fit a signed 64-bit integer (OTLP's are unsigned) and follows as text. */
export const FAR_INSTANT = -(2n ** 63n);
