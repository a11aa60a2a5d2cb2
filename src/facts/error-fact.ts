import { EVENTS, scrubText, scrubValue, type StepStatus } from '#semconv';
import { hideSecretValues } from '#semconv/secret-values';
import { cleanText, type Adjustments } from './clean-value.ts';
import type { ObservedSpan } from './observed-span.ts';
import { jsonOf, type SpanAttributes } from './state-fact.ts';
import type { ErrorFact } from './step-fact.ts';

/** Longest message that is stored, UTF-16 units; the limit of `last_error_message`. */
const MAX_MESSAGE_LENGTH = 500;
const MAX_STACK_LENGTH = 4000;

const classOf = (value: unknown): string | null =>
  typeof value === 'string' ? hideSecretValues(value) : null;
const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/**
 * Why a step did not succeed, from `error.type`, the `exception` event and the status of the span; null when it has
 * of no error. A failed step that gives no category is `unknown`, so that no failure goes uncounted.
 */
export function toErrorFact(
  span: ObservedSpan,
  values: SpanAttributes,
  status: StepStatus,
  adjustments: Adjustments,
): ErrorFact | null {
  const type = values['error.type'] ?? (status === 'failed' || status === 'abandoned' ? 'unknown' : null);
  if (type === null) return null;
  const exception = span.events.findLast((event) => event.name === EVENTS.exception)?.attributes ?? {};
  const stack = textOf(exception['exception.stacktrace']);
  const message = textOf(exception['exception.message']) ?? span.statusMessage ?? type;
  return {
    type,
    class: values['weather.error.class'] ?? classOf(exception['exception.type']),
    code: values['weather.error.code'] ?? null,
    message: cleanText(scrubText(message), adjustments, MAX_MESSAGE_LENGTH),
    stack: stack === null ? null : cleanText(scrubText(stack), adjustments, MAX_STACK_LENGTH),
    causes: scrubValue(jsonOf(values['weather.error.causes'], adjustments) ?? null),
    fingerprint: values['weather.error.fingerprint'] ?? null,
    retryable: values['weather.error.retryable'] ?? null,
    http_status: values['weather.error.http_status'] ?? values['http.response.status_code'] ?? null,
  };
}
