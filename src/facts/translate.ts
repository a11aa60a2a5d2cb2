import { ATTRIBUTES, type ClosingReason, type StepStatus } from '#semconv';
import { Adjustments } from './clean-value.ts';
import { closeFact, CLOSING_REASON } from './closing.ts';
import { readComponentScores, sumScores } from './component-scores.ts';
import { readDecisions } from './decisions.ts';
import { toErrorFact } from './error-fact.ts';
import { microsOfNanos } from './instants.ts';
import type { ObservedSpan } from './observed-span.ts';
import { readAttributes, type AttributeProblem } from './read-attributes.ts';
import { toContext } from './step-context.ts';
import { readIdentity, readKeyProblems, type Identity } from './step-identity.ts';
import { instantOf, toStateFact, type SpanAttributes } from './state-fact.ts';
import type { EpochMicros, StepFact } from './step-fact.ts';
import { withTransport } from './transport.ts';

/** Result of a translation: a step, ignored or rejected. */
export type Translation =
  | { readonly kind: 'step'; readonly fact: StepFact }
  /** Not a step: it has no `weather.step.name`. */
  | { readonly kind: 'ignored' }
  /** It breaks the vocabulary; `detail` has for each attribute what was got and what is allowed. */
  | {
      readonly kind: 'rejected';
      readonly reason: 'invalid_attribute' | 'missing_attribute';
      readonly detail: string;
    };

/**
 * Translates a span into its step fact. Pure: no clock, no I/O, no logger. The same span always gives the same fact,
 * and the fact of a start is a part of the fact of its end. Instants are microseconds since 1970, latencies
 * nanoseconds.
 *
 * @returns a span that violates the vocabulary as `rejected` with its reason; never throws for it
 *
 * @example
 * ```ts
 * import { translate, type ObservedSpan } from 'barograph';
 *
 * export function problemOf(span: ObservedSpan): string | null {
 *   const translation = translate(span);
 *   return translation.kind === 'rejected' ? `${translation.reason}: ${translation.detail}` : null;
 * }
 * ```
 */
export function translate(span: ObservedSpan): Translation {
  if (span.attributes['weather.step.name'] === undefined) return { kind: 'ignored' };
  const adjustments = new Adjustments();
  const { values, problems } = readAttributes(span.attributes, ATTRIBUTES, adjustments);
  const timing = timingOf(span, adjustments);
  const identity = readIdentity(span, values, adjustments);
  const lead = { leadHours: values['weather.lead_hours'] ?? null, completedAt: timing.completedAt ?? 0 };
  const components = readComponentScores(span.events, lead, adjustments);
  const decisions = readDecisions(span.events, adjustments);
  const invalid = [...problems, ...readKeyProblems(span), ...components.problems, ...decisions.problems];
  if (invalid.length > 0) return rejected('invalid_attribute', invalid);
  if (identity.kind === 'incomplete') return rejected('missing_attribute', identity.problems);

  const closing = values['weather.closing.reason'] ?? null;
  if (closing !== null) return translateClosing(span, closing);
  const status = statusOf(span, values);
  const error = span.phase === 'ended' ? toErrorFact(span, values, status, adjustments) : null;
  const call = { phase: span.phase, stepName: identity.identity.stepName, status, error };
  const parts: FactParts = {
    identity: identity.identity,
    timing,
    retry: retryOf(values),
    status,
    error,
    context: toContext(span, values, adjustments),
    state: withTransport(toStateFact(values, adjustments), call),
    componentScores: components.scores,
    decisions: decisions.decisions,
    adjustments,
  };
  return { kind: 'step', fact: toFact(span, parts) };
}

type FactParts = Pick<
  StepFact,
  'status' | 'error' | 'context' | 'state' | 'componentScores' | 'decisions'
> & {
  readonly identity: Identity;
  readonly timing: Timing;
  readonly retry: Retry;
  readonly adjustments: Adjustments;
};

/**
 * One literal, member by member: an object of so many members that is made by spreading others takes many times as
 * long.
 */
function toFact(span: ObservedSpan, parts: FactParts): StepFact {
  const { identity, timing, retry } = parts;
  return {
    phase: span.phase,
    validatorHotkey: identity.validatorHotkey,
    traceId: identity.traceId,
    spanId: identity.spanId,
    parentSpanId: identity.parentSpanId,
    traceSampled: span.traceSampled ?? null,
    spanName: identity.spanName,
    instanceId: identity.instanceId,
    runId: identity.runId,
    minerHotkey: identity.minerHotkey,
    minerUid: identity.minerUid,
    stepName: identity.stepName,
    substep: identity.substep,
    substepGroup: identity.substepGroup,
    leadHours: identity.leadHours,
    attempt: identity.attempt,
    maxAttempts: identity.maxAttempts,
    queueJobId: identity.queueJobId,
    startedAt: timing.startedAt,
    completedAt: timing.completedAt,
    latencyNanos: timing.latencyNanos,
    retriesRemaining: retry.retriesRemaining,
    nextRetryTime: span.phase === 'ended' ? retry.nextRetryTime : null,
    status: parts.status,
    error: parts.error,
    context: parts.context,
    state: parts.state,
    componentScores: parts.componentScores,
    scoreSums: sumScores(parts.componentScores, parts.status),
    decisions: parts.decisions,
    closing: null,
    adjustments: parts.adjustments.toRecord(),
    truncated: span.droppedAttributesCount + span.droppedEventsCount > 0,
  };
}

/** A synthetic end repeats the fields of the start; how the step ended is unknown. */
function translateClosing(span: ObservedSpan, reason: ClosingReason): Translation {
  const started = translate({ ...withoutClosing(span), phase: 'started', endTimeUnixNano: null, events: [] });
  const at = microsOfNanos(span.endTimeUnixNano ?? span.startTimeUnixNano);
  return started.kind === 'step' ? { kind: 'step', fact: closeFact(started.fact, { reason, at }) } : started;
}

function withoutClosing(span: ObservedSpan): ObservedSpan {
  const attributes = Object.entries(span.attributes).filter(([name]) => name !== CLOSING_REASON);
  return { ...span, attributes: Object.fromEntries(attributes) };
}

function rejected(
  reason: 'invalid_attribute' | 'missing_attribute',
  problems: readonly AttributeProblem[],
): Translation {
  return { kind: 'rejected', reason, detail: problems.map(({ message }) => message).join('; ') };
}

type Timing = Pick<StepFact, 'startedAt' | 'completedAt' | 'latencyNanos'>;
type Retry = Pick<StepFact, 'retriesRemaining' | 'nextRetryTime'>;

/** A clock that was set back while the step ran must not give a negative latency; it is counted and becomes 0. */
function timingOf(span: ObservedSpan, adjustments: Adjustments): Timing {
  const startedAt: EpochMicros = microsOfNanos(span.startTimeUnixNano);
  if (span.phase === 'started' || span.endTimeUnixNano === null) {
    return { startedAt, completedAt: null, latencyNanos: null };
  }
  const nanos = span.endTimeUnixNano - span.startTimeUnixNano;
  if (nanos < 0n) {
    adjustments.add('negative_duration');
    return { startedAt, completedAt: startedAt, latencyNanos: 0 };
  }
  return { startedAt, completedAt: microsOfNanos(span.endTimeUnixNano), latencyNanos: Number(nanos) };
}

/** Without a step status, the span status of OpenTelemetry decides. */
function statusOf(span: ObservedSpan, values: SpanAttributes): StepStatus {
  if (span.phase === 'started') return 'in_progress';
  const status = values['weather.step.status'];
  if (status != null && status !== 'in_progress') return status;
  return span.statusCode === 'error' ? 'failed' : 'succeeded';
}

function retryOf(values: SpanAttributes): Retry {
  const maxAttempts = values['weather.step.max_attempts'] ?? null;
  const attempt = values['weather.step.attempt'] ?? 1;
  return {
    retriesRemaining: maxAttempts === null ? null : Math.max(0, maxAttempts - attempt),
    nextRetryTime: instantOf(values['weather.retry.next_time']) ?? null,
  };
}
