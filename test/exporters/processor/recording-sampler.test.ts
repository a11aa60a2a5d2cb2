import { ROOT_CONTEXT, SpanKind, TraceFlags } from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  InMemorySpanExporter,
  SamplingDecision,
  TracerProvider,
  type Sampler,
} from '@opentelemetry/sdk-trace';
import { describe, expect, it } from 'vitest';
import { recordingSampler } from '#processor/recording-sampler';
import { RecordingSpanProcessor } from '#processor/recording-span-processor';
import { RecordingSink } from './recording-sink.ts';

const decide = (delegate: Sampler, attributes: Record<string, string>): SamplingDecision =>
  recordingSampler(delegate).shouldSample(
    ROOT_CONTEXT,
    '1'.repeat(32),
    'x',
    SpanKind.INTERNAL,
    attributes,
    [],
  ).decision;

describe('recordingSampler', () => {
  it('a step that the delegate drops is recorded, and every other decision is the delegate’s', () => {
    const step = { 'weather.step.name': 'query' };
    expect(decide(new AlwaysOffSampler(), step)).toBe(SamplingDecision.RECORD);
    expect(decide(new AlwaysOffSampler(), {})).toBe(SamplingDecision.NOT_RECORD);
    expect(decide(new AlwaysOnSampler(), step)).toBe(SamplingDecision.RECORD_AND_SAMPLED);
    expect(recordingSampler(new AlwaysOffSampler()).toString()).toBe('RecordingSampler{AlwaysOffSampler}');
  });

  it('an unsampled step reaches the rows and not the traces', async () => {
    const sink = new RecordingSink();
    const exporter = new InMemorySpanExporter();
    const provider = new TracerProvider({
      sampler: recordingSampler(new AlwaysOffSampler()),
      spanProcessors: [new RecordingSpanProcessor({ sink }), new BatchSpanProcessor({ exporter })],
    });
    const span = provider
      .getTracer('test')
      .startSpan('query', { attributes: { 'weather.step.name': 'query' } });
    expect(span.spanContext().traceFlags).toBe(TraceFlags.NONE);
    span.end();
    await provider.forceFlush();
    expect(sink.names).toEqual(['query ended']);
    expect(exporter.getFinishedSpans()).toEqual([]);
  });
});
