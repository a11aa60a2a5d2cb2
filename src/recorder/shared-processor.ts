import { trace, type Attributes } from '@opentelemetry/api';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import type { SdkSpan } from '#processor/observed-span';
import type { SharedSpans } from '#steps/recorders';

/** A span processor that needs no more of a span than what is recorded, so that spans of any SDK fit. */
export interface SpanRecorder extends Omit<SpanProcessor, 'onStart' | 'onEnd' | 'onEnding'> {
  onStart(span: SdkSpan): void;
  onEnd(span: SdkSpan): void;
}

/** The recorder as a processor of the program's own SDK. */
export interface SharedProcessor {
  /** Call when the program asks for it: from then on steps may be spans of its SDK. */
  readonly processor: () => SpanProcessor;
  /** Null while nobody has asked for that. */
  readonly spans: () => SharedSpans | null;
}

/**
 * Makes the processor for the program's SDK. The resource there names neither our instance nor the validator, by which
 * the books count records, so both are put in.
 */
export function createSharedProcessor(recorder: SpanRecorder, identity: Attributes): SharedProcessor {
  const received = new WeakSet<object>();
  let expected: Attributes = {};
  const spans: SharedSpans = {
    expect: (attributes) => (expected = attributes),
    hasReceived: (span) => {
      expected = {};
      return received.has(span);
    },
  };
  let isTaken = false;
  const resources = new WeakMap<object, Attributes>();
  const toRecorded = (span: SdkSpan): SdkSpan => {
    const { resource } = span;
    // Its attributes must not be read while they are detected.
    const isPending = 'asyncAttributesPending' in resource && resource.asyncAttributesPending === true;
    const known = isPending ? undefined : resources.get(resource);
    const attributes = known ?? { ...(isPending ? {} : resource.attributes), ...identity };
    if (!isPending) resources.set(resource, attributes);
    return withResource(span, attributes);
  };
  const processor: SpanProcessor = {
    onStart: (span) => {
      const isWhole = Object.entries(expected).every(([name, value]) => span.attributes[name] === value);
      if (!isWhole) return;
      received.add(span);
      recorder.onStart(toRecorded(span));
    },
    onEnd: (span) => {
      if (received.has(span)) recorder.onEnd(toRecorded(span));
    },
    forceFlush: () => recorder.forceFlush(),
    shutdown: () => recorder.forceFlush(),
  };
  return {
    processor: () => {
      isTaken = true;
      return processor;
    },
    spans: () => (isTaken ? spans : null),
  };
}

const withResource = (span: SdkSpan, attributes: Attributes): SdkSpan => ({
  name: span.name,
  spanContext: () => span.spanContext(),
  ...(span.parentSpanContext !== undefined && { parentSpanContext: span.parentSpanContext }),
  ...(span.parentSpanId !== undefined && { parentSpanId: span.parentSpanId }),
  startTime: span.startTime,
  endTime: span.endTime,
  status: span.status,
  attributes: span.attributes,
  events: span.events,
  resource: { attributes },
  droppedAttributesCount: span.droppedAttributesCount,
  droppedEventsCount: span.droppedEventsCount,
});

/** Where every copy of OpenTelemetry's API of this major version keeps what is registered. */
const REGISTRY = Symbol.for('opentelemetry.js.api.1');

/**
 * Names a copy of the API by which the program registered its OpenTelemetry and which ours cannot share: an older one
 * than ours. Rows then have no trace of the program.
 *
 * @returns what to tell the program; null when there is nothing to tell
 */
export function describeForeignApi(): string | null {
  const registry: unknown = Reflect.get(globalThis, REGISTRY);
  if (typeof registry !== 'object' || registry === null || !('trace' in registry)) return null;
  if (registry.trace === undefined || registry.trace === trace.getTracerProvider()) return null;
  const version = 'version' in registry ? String(registry.version) : 'unknown';
  return (
    `The program registered its OpenTelemetry by @opentelemetry/api ${version}, and Barograph has a later copy of it, which ` +
    'cannot see that: steps are recorded, and their rows do not carry the trace of the program. Install one copy for ' +
    'both (`npm ls @opentelemetry/api` shows them).'
  );
}
