import type { ObservedSpan } from '#facts/observed-span';

/**
 * The payload of a record: this byte; a byte of what the span has, with its phase; its status; trace, span and parent
 * id; name; start and end, 64 bits each; message; counts of what was dropped; attributes; events; and the members of the resource,
 * with their length before them. Members are their names, with the length of those before them, and then a tag and a
 * value for each. A byte of another value begins a record that this version cannot read.
 */
export const FORMAT_VERSION = 1;

/** Bits of what a span has; the phase stands above them. */
export const HAS = { parent: 1, end: 2, message: 4, bits: 3 } as const;

export const PHASES: readonly ObservedSpan['phase'][] = ['started', 'ended'];
export const STATUSES: readonly ObservedSpan['statusCode'][] = ['unset', 'ok', 'error'];

/** What the value of a member is. There is none where JSON has none; `json` stands for all that is no text, number or flag. */
export const TAG = { none: 0, text: 1, int32: 2, double: 3, false: 4, true: 5, json: 6 } as const;

/** What has members: the names of those are remembered apart, for a span has others when it starts and when it ends. */
export type Bearer = ObservedSpan['phase'] | 'event' | 'resource';

/** Stands for an instant that 64 bits with a sign do not hold; it follows as text. OTLP's have no sign. */
export const FAR_INSTANT = -(2n ** 63n);
