import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
  type ReadableSpan,
  type Sampler,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';
import { expect } from 'vitest';

/** An SDK that keeps what the steps of a test say. */
export interface RecordedSteps {
  /** The ended spans, oldest first, and forgets them. */
  take(): ReadableSpan[];
  /** The only ended span. */
  takeOne(): ReadableSpan;
  /** What each span said when it started. */
  readonly atStart: Record<string, unknown>[];
  close(): void;
}

export function recordSteps(options: { sampler?: Sampler } = {}): RecordedSteps {
  const exporter = new InMemorySpanExporter();
  const atStart: Record<string, unknown>[] = [];
  const snapshots: SpanProcessor = {
    onStart: (span) => void atStart.push({ ...span.attributes }),
    onEnd: () => undefined,
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
  const spanProcessors = [snapshots, new SimpleSpanProcessor({ exporter })];
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors, ...options }));
  const take = (): ReadableSpan[] => {
    const spans = exporter.getFinishedSpans();
    exporter.reset();
    return spans;
  };
  return {
    take,
    takeOne() {
      const spans = take();
      expect(spans).toHaveLength(1);
      const [span] = spans;
      if (span === undefined) throw new Error('no span ended');
      return span;
    },
    atStart,
    close() {
      trace.disable();
      context.disable();
    },
  };
}

/** The context of a span, parsed. */
export function contextOf(span: ReadableSpan): unknown {
  const text = span.attributes['weather.step.context'];
  return typeof text === 'string' ? JSON.parse(text) : undefined;
}
