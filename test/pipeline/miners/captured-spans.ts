import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  TracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace';

/** The ended spans of this process, until `stop`. */
export interface CapturedSpans {
  readonly all: () => readonly ReadableSpan[];
  readonly last: () => ReadableSpan;
  readonly reset: () => void;
  readonly stop: () => void;
}

/** Registers an SDK that keeps its spans in memory. */
export function captureSpans(): CapturedSpans {
  const exporter = new InMemorySpanExporter();
  const contextManager = new AsyncLocalStorageContextManager().enable();
  context.setGlobalContextManager(contextManager);
  trace.setGlobalTracerProvider(
    new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }),
  );
  return {
    all: () => exporter.getFinishedSpans(),
    last: () => {
      const span = exporter.getFinishedSpans().at(-1);
      if (span === undefined) throw new Error('no span has ended');
      return span;
    },
    reset: () => exporter.reset(),
    stop: () => {
      trace.disable();
      context.disable();
    },
  };
}
