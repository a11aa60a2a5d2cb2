import { context, propagation, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  detectResources,
  envDetector,
  resourceFromAttributes,
  type Resource,
} from '@opentelemetry/resources';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor, type Sampler, type SpanProcessor } from '@opentelemetry/sdk-trace';
import { toReadableSpan, withoutSecrets } from '#processor/readable-span';
import { recordingSampler } from '#processor/recording-sampler';
import type { Config } from '../config.ts';
import type { ObservedSpan } from '#facts/observed-span';
import { INSTRUMENTATION_SCOPE } from '#semconv/instrumentation-scope';
import { messageOf } from '#semconv/message-of';
import { hideSecrets } from '#semconv/secret-values';

const DEFAULT_SERVICE = 'barograph';

/** How the telemetry of a process is set up. */
export interface TelemetryOptions {
  readonly config: Pick<Config, 'exportsTraces' | 'serviceName'>;
  /** Decides what is sent over OTLP; what is recorded does not depend on it. */
  readonly sampler: Sampler;
  /** Receives every span, sampled or not. */
  readonly recorder: SpanProcessor;
  readonly validatorHotkey: string;
  /** Unique to this process. */
  readonly instanceId: string;
  /** Called when the last traces could not be sent: no reason to fail, because every span is recorded. */
  readonly onProblem: (message: string) => void;
}

/** The running OpenTelemetry SDK of a process. */
export interface Telemetry {
  /** Exports over OTLP the synthetic ends of steps of dead processes, which no SDK made. */
  readonly exportClosings: (closings: readonly ObservedSpan[]) => void;
  /** Flushes the recorder and the OTLP exporter, and unregisters the SDK so that another one can start. */
  readonly close: () => Promise<void>;
}

/**
 * Starts OpenTelemetry: every span goes to the recorder, sampled or not; sampled ones also go over OTLP if an endpoint
 * is set. With `OTEL_SDK_DISABLED=true` nothing is started and no step makes a span.
 */
export function startTelemetry(options: TelemetryOptions): Telemetry {
  const { config, sampler, recorder } = options;
  const otlp = config.exportsTraces
    ? [new BatchSpanProcessor({ exporter: withoutSecrets(new OTLPTraceExporter()) })]
    : [];
  const exportClosings = (closings: readonly ObservedSpan[]): void => {
    for (const processor of otlp) closings.forEach((span) => processor.onEnd(toReadableSpan(span)));
  };
  const sdk = new NodeSDK({
    resource: resourceOf(options),
    autoDetectResources: false,
    spanProcessors: [recorder, ...otlp],
    sampler: recordingSampler(sampler),
    metricReaders: [],
    logRecordProcessors: [],
    instrumentations: [],
  });
  sdk.start();
  const close = async (): Promise<void> => {
    await sdk.shutdown().catch((error: unknown) => {
      const found = messageOf(error);
      options.onProblem(`The last traces could not be sent over OTLP: ${found}`);
      // The SDK stops waiting at the first processor that fails; the recorder must still be flushed.
      return recorder.shutdown();
    });
    // Shutdown leaves the SDK registered globally, and a later one in this process could not replace it.
    for (const api of [trace, context, propagation]) api.disable();
  };
  return { exportClosings, close };
}

/**
 * The resource of this process. `OTEL_RESOURCE_ATTRIBUTES` adds to it (`deployment.environment.name`) and may name the
 * service, but cannot override the instance and validator, by which the books count records.
 */
function resourceOf({ config, validatorHotkey, instanceId }: TelemetryOptions): Resource {
  const service = { 'service.name': DEFAULT_SERVICE, 'service.version': INSTRUMENTATION_SCOPE.version };
  const named = config.serviceName === null ? {} : { 'service.name': config.serviceName };
  return resourceFromAttributes(service)
    .merge(resourceFromAttributes(hideSecrets(detectResources({ detectors: [envDetector] }).attributes)))
    .merge(
      resourceFromAttributes({
        ...named,
        'service.instance.id': instanceId,
        'weather.validator.hotkey': validatorHotkey,
      }),
    );
}
