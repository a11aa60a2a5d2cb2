import type { Attributes } from '@opentelemetry/api';
import { scrubText } from '#semconv';
import { countFault } from './instrumentation-faults.ts';

/** Attributes whose text is written by people and programs outside, so it may hold what must be scrubbed. */
const FREE_TEXT: ReadonlySet<string> = new Set([
  'weather.run.error_message',
  'weather.score.reason',
  'weather.response.wire_status',
  'weather.component.reason',
  'weather.orchestration.reason',
]);

/** Adds what is neither null nor undefined. Free text is scrubbed; what is no text, number or flag is a fault. */
export function addAttributes(target: Attributes, source: Readonly<Record<string, unknown>>): void {
  for (const name in source) {
    const value = source[name];
    if (value === null || value === undefined) continue;
    if (typeof value === 'string') target[name] = FREE_TEXT.has(name) ? scrubText(value) : value;
    else if (typeof value === 'number' || typeof value === 'boolean') target[name] = value;
    else countFault('attributes');
  }
}
