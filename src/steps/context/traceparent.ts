import { isSpanContextValid, trace, type SpanContext } from '@opentelemetry/api';
import { stepScope } from './identity-context.ts';

/** W3C Trace Context: version, trace id, span id, flags; a later version may carry more fields. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;

/** Parses a traceparent; null when the text is not a valid one. */
export function parseTraceparent(traceparent: string): SpanContext | null {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent.trim()) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return null;
  const parsed = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
  return isSpanContextValid(parsed) ? parsed : null;
}

/** The W3C traceparent of a span. */
function toTraceparent({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}

/**
 * The W3C traceparent of the step that is running here, else of the program's active span; undefined outside of any.
 *
 * @example
 * ```ts
 * import { currentTraceparent, step } from 'barograph';
 *
 * // Kept with a job, it becomes `identity.traceparent` of the step that runs there later.
 * const query = step({ name: 'query', substep: 'initiate_fetch' }, () => currentTraceparent());
 * ```
 */
export function currentTraceparent(): string | undefined {
  const active = (stepScope().step?.span ?? trace.getActiveSpan())?.spanContext();
  return active !== undefined && isSpanContextValid(active) ? toTraceparent(active) : undefined;
}
