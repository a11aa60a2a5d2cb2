import { SpanStatusCode, type Span } from '@opentelemetry/api';
import { EVENTS } from '#semconv';
import { describeError } from './describe-error.ts';

/**
 * Writes an error to a span: attributes, the `exception` event and the status ERROR.
 * @param endedAt ms, by `performance.now()`
 */
export function recordError(span: Span, error: unknown, endedAt: number): void {
  if (error === undefined) {
    span.setAttribute('error.type', 'unknown');
    span.setStatus({ code: SpanStatusCode.ERROR, message: 'no error was given' });
    return;
  }
  const described = describeError(error);
  span.setAttributes({
    'error.type': described.category,
    'weather.error.class': described.class,
    'weather.error.fingerprint': described.fingerprint,
    'weather.error.retryable': described.retryable,
  });
  if (described.code !== null) span.setAttribute('weather.error.code', described.code);
  if (described.httpStatus !== null) span.setAttribute('weather.error.http_status', described.httpStatus);
  if (described.causes.length > 0) {
    span.setAttribute('weather.error.causes', JSON.stringify(described.causes));
  }
  const exception = { 'exception.type': described.class, 'exception.message': described.message };
  const stack = described.stack === null ? {} : { 'exception.stacktrace': described.stack };
  span.addEvent(EVENTS.exception, { ...exception, ...stack }, endedAt);
  span.setStatus({ code: SpanStatusCode.ERROR, message: described.message });
}
