import type { Attributes, Span } from '@opentelemetry/api';
import { EVENTS } from '#semconv';
import { addAttributes } from './start-attributes.ts';
import { toContextJson } from './context-json.ts';
import type { StepEvent, StepOutcome } from './definition.ts';
import { readMessage } from './errors/unknown-error.ts';
import { copySpan, isReadable, type EndedSpan } from './ended-span.ts';
import { countFault, guarded } from './instrumentation-faults.ts';
import { currentStep, type StepCall } from './open-step.ts';
import type { FinishProfile } from './profile.ts';
import { readFailure, readOutcome } from './read-outcome.ts';
import { recordError } from './errors/record-error.ts';

/** How a call ended. A generator that its consumer stops early (`break`) did all that was asked of it. */
export type StepEnd =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'error'; readonly error: unknown }
  | { readonly kind: 'stopped_early' };

/** Ends the span of a call. Idempotent: only the first closing counts. Never throws. */
export function closeStep(step: StepCall, end: StepEnd): void {
  if (step.isClosed) return;
  step.isClosed = true;
  try {
    if (step.span.isRecording()) closeRecording(step, end);
    else step.span.end();
  } catch {
    countFault('end');
  }
}

/** The end is taken first, so that reading the outcome does not count as latency. */
function closeRecording(step: StepCall, end: StepEnd): void {
  const endedAt = performance.now();
  const { span, finishProfile } = step;
  try {
    writeEnd(span, step, end, endedAt);
    if (finishProfile !== null) writeProfile(span, finishProfile);
  } catch {
    countFault('outcome');
  }
  span.end(endedAt);
}

/** Writes the outcome of a step to a span. @param endedAt ms, by `performance.now()` */
function writeEnd(span: Span, step: StepCall, end: StepEnd, endedAt = performance.now()): void {
  writeOutcome(span, outcomeOf(step, end), endedAt);
}

/**
 * The end that the running step will have if it returns this value, for a step that commits what it did before
 * it returns: kept with the commit, its word can be given even if the process dies in between.
 *
 * @returns null outside of a step, and where nothing is recorded
 */
export function previewEnd(value: unknown): EndedSpan | null {
  const step = currentStep();
  if (step === null || step.isClosed || !isReadable(step.span)) return null;
  const { span } = step;
  return guarded('end', null, () => {
    const copy = copySpan(span, Date.now());
    writeEnd(copy.span, step, { kind: 'value', value });
    return copy.read();
  });
}

function outcomeOf({ plan, args }: StepCall, end: StepEnd): StepOutcome {
  switch (end.kind) {
    case 'value':
      return readOutcome(plan, end.value, args);
    case 'error':
      return readFailure(plan, end.error, args);
    case 'stopped_early':
      return { status: 'succeeded', context: { stopped_early: true } };
  }
}

/** Each part is guarded alone, so that an unreadable part does not lose the others. */
function writeOutcome(span: Span, outcome: StepOutcome, endedAt: number): void {
  const { status, stage, stageStatus, nextRetryTime, error } = outcome;
  // A poll is scheduled again without an error while the miner still runs its inference.
  const isError = status === 'failed' || (status === 'retry_scheduled' && error !== undefined);
  span.setAttribute('weather.step.status', status);
  if (stage !== undefined) span.setAttribute('weather.stage', stage);
  if (stageStatus !== undefined) span.setAttribute('weather.stage.status', stageStatus);
  if (isError) guarded('error', undefined, () => recordError(span, error, endedAt));
  if (outcome.attributes !== undefined) {
    const values = outcome.attributes;
    guarded('attributes', undefined, () => span.setAttributes(clean(values)));
  }
  if (outcome.context !== undefined || status === 'waiting_for_truth') {
    guarded('context', undefined, () => writeContext(span, outcome));
  }
  if (outcome.events !== undefined) writeEvents(span, outcome.events, endedAt);
  if (nextRetryTime !== undefined) {
    guarded('events', undefined, () => writeRetry(span, nextRetryTime, endedAt));
  }
}

/** Waiting for truth is not an error, so its reason goes to the context instead. */
function writeContext(span: Span, { context, status, error }: StepOutcome): void {
  const isReason = status === 'waiting_for_truth' && error !== undefined;
  if (context === undefined && !isReason) return;
  const values = isReason ? { ...context, waiting_for: readMessage(error) } : (context ?? {});
  span.setAttribute('weather.step.context', toContextJson(values));
}

function writeEvents(span: Span, events: readonly StepEvent[], endedAt: number): void {
  for (const event of guarded('events', [], () => [...events])) {
    guarded('events', undefined, () => span.addEvent(event.name, clean(event.attributes), endedAt));
  }
}

function writeRetry(span: Span, nextRetryTime: Date, endedAt: number): void {
  const nextTime = nextRetryTime.toISOString();
  span.setAttribute('weather.retry.next_time', nextTime);
  span.addEvent(EVENTS.retryScheduled, { 'weather.retry.next_time': nextTime }, endedAt);
}

function writeProfile(span: Span, finish: FinishProfile): void {
  guarded('profile', undefined, () => {
    const profile = finish();
    span.setAttributes({
      'weather.profile.cpu_ms': profile.cpuMillis,
      'weather.profile.event_loop_delay_ms': profile.eventLoopDelayMillis,
      'weather.profile.peak_memory_bytes': profile.peakMemoryBytes,
    });
  });
}

function clean(values: Readonly<Record<string, unknown>>): Attributes {
  const attributes: Attributes = {};
  addAttributes(attributes, values);
  return attributes;
}
