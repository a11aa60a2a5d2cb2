import { scrubValue } from '#semconv';
import type { Adjustments } from './clean-value.ts';
import type { ObservedSpan } from './observed-span.ts';
import { jsonOf, type SpanAttributes } from './state-fact.ts';

/** Attributes of a step's work and cost that have no column of their own. */
const CONTEXT_ATTRIBUTES = {
  progress: 'weather.poll.progress',
  job_id: 'weather.job.id',
  wire_status: 'weather.response.wire_status',
  http_request_method: 'http.request.method',
  http_status_code: 'http.response.status_code',
  score_reason: 'weather.score.reason',
  truth_due_time: 'weather.truth.due_time',
  cpu_ms: 'weather.profile.cpu_ms',
  event_loop_delay_ms: 'weather.profile.event_loop_delay_ms',
  bytes_read: 'weather.profile.bytes_read',
  peak_memory_bytes: 'weather.profile.peak_memory_bytes',
} as const;
const CONTEXT_ENTRIES = Object.entries(CONTEXT_ATTRIBUTES);

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The `context` of a step: its own JSON with its profile; null when both are empty. */
export function toContext(
  span: ObservedSpan,
  values: SpanAttributes,
  adjustments: Adjustments,
): Readonly<Record<string, unknown>> | null {
  const json = jsonOf(values['weather.step.context'], adjustments);
  const context: Record<string, unknown> = isRecord(json) ? { ...json } : {};
  if (json !== undefined && !isRecord(json)) context['value'] = json;
  for (const [key, attribute] of CONTEXT_ENTRIES) {
    const value = values[attribute];
    if (value != null) context[key] = value;
  }
  if (span.droppedAttributesCount > 0) context['dropped_attributes'] = span.droppedAttributesCount;
  if (span.droppedEventsCount > 0) context['dropped_events'] = span.droppedEventsCount;
  return Object.keys(context).length === 0 ? null : (scrubValue(context) as Record<string, unknown>);
}
