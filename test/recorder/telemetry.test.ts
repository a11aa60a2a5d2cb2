import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createSampler } from '#recorder/sampler';
import { currentTraceparent, step, withIdentity } from '#steps';
import { closingSpan } from '#facts/closing';
import { INSTRUMENTATION_SCOPE } from '#semconv/instrumentation-scope';
import { startTelemetry } from '#recorder/telemetry';
import type { SpanRecorder } from '#recorder/shared-processor';
import { endedSpan, startOfSpan, T } from '../support/spans.ts';

vi.mock('@opentelemetry/exporter-trace-otlp-http', () => ({
  OTLPTraceExporter: vi.fn(function (this: Record<string, unknown>) {
    this['export'] = (spans: ReadableSpan[], done: (result: { code: number }) => void) => {
      sent.push(...spans);
      done({ code: 0 });
    };
    this['shutdown'] = () => Promise.resolve();
    this['forceFlush'] = () => Promise.resolve();
  }),
}));
const sent: ReadableSpan[] = [];

const query = step({ name: 'query', substep: 'initiate_fetch' }, (): string | null =>
  currentTraceparent() === undefined ? null : 'recorded',
);

/** Telemetry of a test, and the names of the spans that it recorded. */
function start(
  changes: {
    readonly exportsTraces?: boolean;
    readonly sampler?: string;
    readonly serviceName?: string | null;
  } = {},
) {
  const recorded: string[] = [];
  const resources: unknown[] = [];
  const flags: number[] = [];
  const problems: string[] = [];
  const recorder: SpanRecorder = {
    onStart: () => undefined,
    onEnd: (span) => {
      recorded.push(span.name);
      resources.push(span.resource.attributes);
      flags.push(span.spanContext().traceFlags);
    },
    forceFlush: () => Promise.resolve(),
    shutdown: vi.fn(() => Promise.resolve()),
  };
  const { close: end, exportClosings } = startTelemetry({
    config: {
      exportsTraces: changes.exportsTraces ?? false,
      serviceName: changes.serviceName === undefined ? 'test-service' : changes.serviceName,
    },
    sampler: createSampler(changes.sampler ?? 'parentbased_always_on', null),
    recorder,
    validatorHotkey: '5Validator',
    instanceId: 'instance-1',
    onProblem: (message) => problems.push(message),
  });
  return { problems, recorded, resources, flags, recorder, end, exportClosings };
}
afterEach(() => {
  vi.unstubAllEnvs();
  sent.length = 0;
  vi.mocked(OTLPTraceExporter).mockClear();
});

describe('startTelemetry', () => {
  it('steps are recorded with the validator and instance of the process', async () => {
    const { recorded, resources, end } = start();
    expect(query()).toBe('recorded');
    await end();
    expect(recorded).toEqual(['query initiate_fetch']);
    expect(resources[0]).toMatchObject({
      'service.name': 'test-service',
      'service.instance.id': 'instance-1',
      'weather.validator.hotkey': '5Validator',
    });
  });

  it('the resource has the service, version and environment that the process was started with', async () => {
    const environment = 'service.name=named-elsewhere,deployment.environment.name=staging,team=weather';
    vi.stubEnv('OTEL_RESOURCE_ATTRIBUTES', environment);
    const named = start();
    query();
    await named.end();
    const unnamed = start({ serviceName: null });
    query();
    await unnamed.end();
    const shared = {
      'service.version': INSTRUMENTATION_SCOPE.version,
      'deployment.environment.name': 'staging',
      team: 'weather',
    };
    expect(named.resources[0]).toMatchObject({ ...shared, 'service.name': 'test-service' });
    expect(unnamed.resources[0]).toMatchObject({ ...shared, 'service.name': 'named-elsewhere' });
  });

  it('the service is barograph by default, and the environment cannot override the instance id', async () => {
    vi.stubEnv('OTEL_RESOURCE_ATTRIBUTES', 'service.instance.id=elsewhere,weather.validator.hotkey=5Other');
    const { resources, end } = start({ serviceName: null });
    query();
    await end();
    expect(resources[0]).toMatchObject({
      'service.name': 'barograph',
      'service.instance.id': 'instance-1',
      'weather.validator.hotkey': '5Validator',
    });
  });

  it('no exporter is made and nothing is sent without an endpoint', async () => {
    const { end } = start({ exportsTraces: false });
    query();
    await end();
    expect(OTLPTraceExporter).not.toHaveBeenCalled();
  });

  it('the recorded spans are exported to a given endpoint before the process ends', async () => {
    const { end } = start({ exportsTraces: true });
    query();
    await end();
    expect(OTLPTraceExporter).toHaveBeenCalledTimes(1);
    expect(sent).toHaveLength(1);
  });

  it('closing succeeds and warns when the last traces cannot be sent', async () => {
    const { end, recorder, problems } = start({ exportsTraces: true });
    query();
    const [exporter] = vi.mocked(OTLPTraceExporter).mock.instances;
    Object.assign(exporter ?? {}, { shutdown: () => Promise.reject(new Error('connect ECONNREFUSED')) });
    await end();
    expect(problems).toEqual(['The last traces could not be sent over OTLP: connect ECONNREFUSED']);
    expect(recorder.shutdown).toHaveBeenCalledTimes(2);
    const next = start();
    expect(query()).toBe('recorded');
    await next.end();
  });

  it('the synthetic end of a dead process is exported under the ids of the original step and marked', async () => {
    const { end, exportClosings } = start({ exportsTraces: true });
    const span = startOfSpan(endedSpan({ step: 'query', attempt: 2 }));
    exportClosings([closingSpan(span, { reason: 'process_crash', at: Number(T / 1000n) + 5000 })]);
    await end();
    expect(sent).toHaveLength(1);
    const [closing] = sent;
    expect(closing?.spanContext()).toMatchObject({ traceId: span.traceId, spanId: span.spanId });
    expect(closing?.resource.attributes['service.instance.id']).toBe('instance-1');
    expect(closing?.attributes).toMatchObject({
      'weather.step.status': 'abandoned',
      'weather.closing.reason': 'process_crash',
      'weather.step.attempt': 2,
    });
    expect(closing?.duration).toEqual([0, 5_000_000]);
    expect(closing?.instrumentationScope).toEqual(INSTRUMENTATION_SCOPE);
  });

  it('every step is recorded, including those that the sampler does not export', async () => {
    const { recorded, end } = start({ exportsTraces: true, sampler: 'always_off' });
    expect(query()).toBe('recorded');
    await end();
    expect(recorded).toHaveLength(1);
    expect(sent).toEqual([]);
  });

  it('a step is sampled where its trace is sent: not without an endpoint, unless its caller sends the trace', async () => {
    const flagOf = async (changes: Parameters<typeof start>[0], caller?: string) => {
      const { flags, end } = start(changes);
      const traceparent =
        caller === undefined ? {} : { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-${caller}` };
      withIdentity(traceparent, query);
      await end();
      return flags[0];
    };
    expect(await flagOf({ exportsTraces: true })).toBe(1);
    expect(await flagOf({ exportsTraces: true, sampler: 'always_off' })).toBe(0);
    expect(await flagOf({ exportsTraces: false })).toBe(0);
    expect(await flagOf({ exportsTraces: false }, '01')).toBe(1);
    expect(await flagOf({ exportsTraces: false }, '00')).toBe(0);
  });

  it('a second SDK can start after the first was closed, and only the second records', async () => {
    const first = start();
    await first.end();
    expect(first.recorder.shutdown).toHaveBeenCalledTimes(1);
    expect(query()).toBeNull();
    const second = start();
    expect(withIdentity({ runId: 1 }, query)).toBe('recorded');
    await second.end();
    expect([first.recorded, second.recorded]).toEqual([[], ['query initiate_fetch']]);
  });
});
