import { context, trace, type Attributes } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
  type ReadableSpan,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';

/** The spans that the steps of a test file made. */
export interface CapturedSpans {
  /** Ended spans of a step, in the order of their ends; of all steps unless one is named. */
  of(name?: string, substep?: string): readonly ReadableSpan[];
  /** Every value of an attribute that a span had when it started or when it ended, and that its events had. */
  valuesOf(attribute: string): ReadonlySet<unknown>;
  /** The span that ended last. */
  last(): ReadableSpan;
  reset(): void;
}

/** Registers an SDK for the whole test file. */
export function captureSpans(): CapturedSpans {
  const exporter = new InMemorySpanExporter();
  const starts: Attributes[] = [];
  const startRecorder: SpanProcessor = {
    onStart: ({ attributes }) => void starts.push({ ...attributes }),
    onEnd: () => undefined,
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(
    new TracerProvider({ spanProcessors: [startRecorder, new SimpleSpanProcessor({ exporter })] }),
  );
  return {
    of: (name, substep) =>
      exporter
        .getFinishedSpans()
        .filter(
          ({ attributes }) =>
            (name === undefined || attributes['weather.step.name'] === name) &&
            (substep === undefined || attributes['weather.step.substep'] === substep),
        ),
    valuesOf: (attribute) => {
      const ended = exporter
        .getFinishedSpans()
        .flatMap(({ attributes, events }) => [attributes, ...events.map((event) => event.attributes ?? {})]);
      const values = [...starts, ...ended].map((attributes) => attributes[attribute]);
      return new Set(values.filter((value) => value !== undefined));
    },
    last: () => {
      const span = exporter.getFinishedSpans().at(-1);
      if (span === undefined) throw new Error('no span has ended');
      return span;
    },
    reset: () => {
      exporter.reset();
      starts.length = 0;
    },
  };
}

/** The step status of a span. */
export const statusOf = (span: ReadableSpan | undefined): unknown => span?.attributes['weather.step.status'];

/** The values of some attributes of a span. */
export const attributesOf = (span: ReadableSpan | undefined, ...names: string[]): unknown[] =>
  names.map((name) => span?.attributes[name]);

/** The W3C traceparent of a span. */
export const traceparentOf = (span: ReadableSpan): string => {
  const { traceId, spanId } = span.spanContext();
  return `00-${traceId}-${spanId}-01`;
};

/** The keys in the contexts of spans, nested ones, too, that are not in snake case. */
export const oddContextKeys = (spans: readonly ReadableSpan[]): readonly string[] => [
  ...new Set(spans.flatMap((span) => keysIn(contextOf(span)).filter((key) => !SNAKE_CASE.test(key)))),
];
const SNAKE_CASE = /^[a-z0-9]+(_[a-z0-9]+)*$/;

function keysIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap(keysIn);
  return Object.entries(value).flatMap(([key, member]) => [key, ...keysIn(member)]);
}

/** The context of a span, parsed. */
export const contextOf = (span: ReadableSpan | undefined): Record<string, unknown> =>
  JSON.parse(String(span?.attributes['weather.step.context'] ?? '{}')) as Record<string, unknown>;
