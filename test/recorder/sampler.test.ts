import { ROOT_CONTEXT, SpanKind, trace, TraceFlags } from '@opentelemetry/api';
import { SamplingDecision } from '@opentelemetry/sdk-trace';
import { describe, expect, it } from 'vitest';
import { createSampler } from '#recorder/sampler';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const childOf = (traceFlags: TraceFlags) =>
  trace.setSpanContext(ROOT_CONTEXT, { traceId: TRACE_ID, spanId: 'b7ad6b7169203331', traceFlags });

/** Whether the sampler lets a span through: a root, or the child of a sampled or unsampled parent. */
function isSampled(name: string, argument: string | null = null, context = ROOT_CONTEXT): boolean {
  const { decision } = createSampler(name, argument).shouldSample(
    context,
    TRACE_ID,
    'query',
    SpanKind.INTERNAL,
    {},
    [],
  );
  return decision === SamplingDecision.RECORD_AND_SAMPLED;
}

describe('createSampler', () => {
  it.each([
    ['always_on', true, true],
    ['always_off', false, false],
    ['parentbased_always_on', true, false],
    ['parentbased_always_off', false, false],
  ])('the sampler %s samples a root: %s, and the child of an unsampled span: %s', (name, root, child) => {
    expect(isSampled(name)).toBe(root);
    expect(isSampled(name, null, childOf(TraceFlags.NONE))).toBe(child);
  });

  it('a sampled parent decides for parent-based samplers only', () => {
    expect(isSampled('parentbased_always_off', null, childOf(TraceFlags.SAMPLED))).toBe(true);
    expect(isSampled('always_off', null, childOf(TraceFlags.SAMPLED))).toBe(false);
  });

  it('traceidratio samples its ratio of the traces, all of them without an argument', () => {
    expect(isSampled('traceidratio')).toBe(true);
    expect(isSampled('traceidratio', '0')).toBe(false);
    expect(isSampled('parentbased_traceidratio', '1')).toBe(true);
  });

  it.each(['', 'ALWAYS_ON', 'parentbased_', 'jaeger_remote'])(
    'the sampler name "%s" is refused with the list of allowed names',
    (name) => {
      expect(() => createSampler(name, null)).toThrow(
        `OTEL_TRACES_SAMPLER is "${name}"; allowed: always_on, parentbased_always_on, always_off, parentbased_always_off, ` +
          'traceidratio, parentbased_traceidratio. Correct it or leave it out.',
      );
    },
  );

  it.each(['2', '-0.1', 'half', 'NaN'])('the ratio "%s" is refused', (argument) => {
    expect(() => createSampler('traceidratio', argument)).toThrow(
      `OTEL_TRACES_SAMPLER_ARG is "${argument}"; allowed: a number from 0 to 1.`,
    );
  });
});
