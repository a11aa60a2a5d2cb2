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
import { toReadableSpan } from '#processor/readable-span';
import { recordingSampler } from '#processor/recording-sampler';
import type { Config } from '../config.ts';
import type { ObservedSpan } from '#facts/observed-span';
import { INSTRUMENTATION_SCOPE } from '#semconv/instrumentation-scope';
import { messageOf } from '#semconv/message-of';

const DEFAULT_SERVICE = 'barograph';

/** What the telemetry of a process is made of. */
export interface TelemetryOptions {
  readonly config: Pick<Config, 'exportsTraces' | 'serviceName'>;
  /** Decides what is sent over OTLP; what is recorded does not depend on it. */
  readonly sampler: Sampler;
  /** Where every span goes to be recorded. */
  readonly recorder: SpanProcessor;
  readonly validatorHotkey: string;
  /** Unlike every other process. */
  readonly instanceId: string;
  /** Hears when traces could not be sent at the end: that is no reason to fail, for all of it is recorded. */
  readonly onProblem: (message: string) => void;
}

/** A process whose spans go where they belong. */
export interface Telemetry {
  /** Shows spans in the traces that no SDK made: those that close the steps of dead processes. */
  readonly showClosings: (closings: readonly ObservedSpan[]) => void;
  /** Flushes the recorder and the OTLP exporter, and lets another SDK be started afterwards. */
  readonly close: () => Promise<void>;
}

/**
 * Starts OpenTelemetry: every span goes to the recorder, sampled or not, and the sampled ones beside it over OTLP if an
 * endpoint is set. With `OTEL_SDK_DISABLED=true` nothing is started and no step makes a span.
 */
export function startTelemetry(options: TelemetryOptions): Telemetry {
  const { config, sampler, recorder } = options;
  const otlp = config.exportsTraces ? [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })] : [];
  const showClosings = (closings: readonly ObservedSpan[]): void => {
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
      // The first that fails ends the wait for all.
      return recorder.shutdown();
    });
    // The SDK leaves itself registered, and the next one of this process could not take its place.
    for (const api of [trace, context, propagation]) api.disable();
  };
  return { showClosings, close };
}

/**
 * Who makes the spans of this process. `OTEL_RESOURCE_ATTRIBUTES` adds to it (`deployment.environment.name`) and may name
 * the service; the identity by which records are counted is not the environment's to say.
 */
function resourceOf({ config, validatorHotkey, instanceId }: TelemetryOptions): Resource {
  const service = { 'service.name': DEFAULT_SERVICE, 'service.version': INSTRUMENTATION_SCOPE.version };
  const named = config.serviceName === null ? {} : { 'service.name': config.serviceName };
  return resourceFromAttributes(service)
    .merge(detectResources({ detectors: [envDetector] }))
    .merge(
      resourceFromAttributes({
        ...named,
        'service.instance.id': instanceId,
        'weather.validator.hotkey': validatorHotkey,
      }),
    );
}
