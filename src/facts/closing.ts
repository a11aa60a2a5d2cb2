import type { ClosingReason } from '#semconv';
import type { ObservedSpan } from './observed-span.ts';
import type { EpochMicros, StepFact } from './step-fact.ts';

/** Marks the synthetic end of a step whose real end never came. */
export const CLOSING_REASON = 'weather.closing.reason';

const MESSAGES: Readonly<Record<ClosingReason, string>> = {
  process_crash: 'the process ended while the step ran',
  heartbeat_lost: 'nothing was heard of the process any more while the step ran',
  spool_full: 'the end of the step found no room in the spool',
};

/** Reason of a closing, and the last instant at which the process of the step was alive. */
export interface Closing {
  readonly reason: ClosingReason;
  readonly at: EpochMicros;
}

/**
 * Synthetic end of a running step: `abandoned`, of unknown latency. It carries only the state of the start, so that a
 * real end that comes later has to revert nothing but the abandonment itself.
 */
export function closeFact(started: StepFact, { reason, at }: Closing): StepFact {
  return {
    ...started,
    phase: 'ended',
    status: 'abandoned',
    completedAt: Math.max(at, started.startedAt),
    latencyNanos: null,
    nextRetryTime: null,
    error: {
      type: 'process_crash',
      class: null,
      code: null,
      message: MESSAGES[reason],
      stack: null,
      causes: null,
      fingerprint: null,
      retryable: true,
      http_status: null,
    },
    closing: reason,
  };
}

/** The same as a span, with the ids of the started one, for the tables and the trace exporter. */
export function closingSpan(started: ObservedSpan, { reason, at }: Closing): ObservedSpan {
  const endTime = BigInt(at) * 1000n;
  return {
    ...started,
    phase: 'ended',
    endTimeUnixNano: endTime > started.startTimeUnixNano ? endTime : started.startTimeUnixNano,
    statusCode: 'error',
    statusMessage: MESSAGES[reason],
    attributes: {
      ...started.attributes,
      'weather.step.status': 'abandoned',
      'error.type': 'process_crash',
      [CLOSING_REASON]: reason,
    },
  };
}
