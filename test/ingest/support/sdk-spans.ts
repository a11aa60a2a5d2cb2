import { context, SpanStatusCode, trace, type Attributes } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace';
import { T } from '#test/support/spans';

/** What a test says of a span that the SDK makes. */
export interface SdkSpanOptions {
  readonly name?: string;
  readonly attributes?: Attributes;
  readonly events?: readonly { readonly name: string; readonly attributes?: Attributes }[];
  readonly error?: string;
  /** Milliseconds after `T`. */
  readonly at?: number;
}

const RESOURCE = {
  'service.name': 'sender',
  'service.instance.id': 'instance-9',
  'weather.validator.hotkey': '5Validator',
};

/** Spans as the SDK gives them to an exporter: one root, the others its children. */
export function sdkSpans(
  spans: readonly SdkSpanOptions[],
  resource: Attributes = RESOURCE,
): readonly ReadableSpan[] {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({
    resource: resourceFromAttributes(resource),
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
    spanLimits: { eventCountLimit: 3, attributeCountLimit: 40 },
  });
  const tracer = provider.getTracer('test');
  const millis = Number(T / 1_000_000n);
  const root = tracer.startSpan('root', { startTime: millis });
  const inRoot = trace.setSpan(context.active(), root);
  for (const { name = 'step', attributes = {}, events = [], error, at = 0 } of spans) {
    const span = tracer.startSpan(name, { startTime: millis + at, attributes }, inRoot);
    for (const event of events) span.addEvent(event.name, event.attributes ?? {}, millis + at + 1.5);
    if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error });
    span.end(millis + at + 2.25);
  }
  root.end(millis + 10_000);
  return exporter.getFinishedSpans();
}

/** The attributes of a `query` step that is in order. */
export const queryStep = (more: Attributes = {}): Attributes => ({
  'weather.step.name': 'query',
  'weather.step.substep': 'initiate_fetch',
  'weather.step.attempt': 1,
  'weather.step.status': 'succeeded',
  'weather.run.id': 1,
  'weather.run.init_time': '2026-11-23T00:00:00Z',
  'weather.miner.uid': 7,
  'weather.miner.hotkey': '5MinerSeven',
  ...more,
});

/** Spans of every kind of value and of every part that a span may have. */
export const VARIED: readonly SdkSpanOptions[] = [
  { name: 'plain' },
  {
    name: 'values – Wörter, 天気, 🌦',
    at: 0.125,
    attributes: {
      text: 'Grüße 🌀',
      empty: '',
      flag: true,
      no: false,
      zero: 0,
      negative: -7,
      byte: 127,
      twoBytes: 128,
      large: Number.MAX_SAFE_INTEGER,
      largeNegative: Number.MIN_SAFE_INTEGER,
      fraction: -0.1,
      tiny: 5e-324,
      huge: 1.7e308,
      texts: ['a', 'b'],
      numbers: [1, 2.5, -3],
      flags: [true, false],
      nothing: [],
      __proto__x: 'x',
    },
  },
  { name: 'query', attributes: queryStep({ 'weather.inference.duration_seconds': 12.5 }) },
  {
    name: 'events',
    events: [
      { name: 'one' },
      { name: 'two', attributes: { reason: 'because', tries: 2 } },
      { name: 'three' },
      { name: 'four: the first one is dropped for it' },
    ],
  },
  { name: 'failed', error: 'the miner did not answer', attributes: queryStep({ 'error.type': 'timeout' }) },
];
