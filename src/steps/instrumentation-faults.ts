import { diag } from '@opentelemetry/api';

/** The parts of the instrumentation that can fail without any effect on the step. */
const FAULT_PLACES = [
  'identity',
  'traceparent',
  'substep',
  'attributes',
  'start',
  'result',
  'outcome',
  'failure',
  'error',
  'context',
  'events',
  'profile',
  'end',
  // No fault of a callback: steps that nothing records, counted once.
  'unrecorded',
] as const;
export type FaultPlace = (typeof FAULT_PLACES)[number];

/** Faults by place since the process started. The only mutable state of `src/steps`; no decision depends on it. */
const counts = new Map<FaultPlace, number>();

/** Counts a fault of the instrumentation. OpenTelemetry's diagnostic logger gets the place only. */
export function countFault(place: FaultPlace): void {
  counts.set(place, (counts.get(place) ?? 0) + 1);
  diag.warn(`barograph: the instrumentation of a step failed at "${place}"; the step itself is not affected`);
}

/** Says once that nothing records the steps of this process: it would be a clean record of nothing. */
export function countUnrecorded(): void {
  if (counts.has('unrecorded')) return;
  counts.set('unrecorded', 1);
  diag.warn(
    'barograph: a step ran and nothing records it. Call startRecording before the first step, or register an ' +
      'OpenTelemetry SDK; set OTEL_SDK_DISABLED=true to run steps as plain functions',
  );
}

/**
 * How often the instrumentation failed so far, by place; a copy.
 *
 * @example
 * ```ts
 * import { instrumentationFaults } from 'barograph';
 *
 * const faults = Object.values(instrumentationFaults()).reduce((sum, count) => sum + count, 0);
 * if (faults > 0) console.warn(`${faults} callbacks of step definitions failed`);
 * ```
 */
export function instrumentationFaults(): Readonly<Record<FaultPlace, number>> {
  const places = FAULT_PLACES.map((place) => [place, counts.get(place) ?? 0] as const);
  return Object.fromEntries(places) as Record<FaultPlace, number>;
}

/** The result of `read`; the fallback when it throws, which is counted. */
export function guarded<Value>(place: FaultPlace, fallback: Value, read: () => Value): Value {
  try {
    return read();
  } catch {
    countFault(place);
    return fallback;
  }
}
