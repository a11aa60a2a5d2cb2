import { context, propagation, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor, type Sampler, type SpanProcessor } from '@opentelemetry/sdk-trace';
import { recordingSampler } from '../exporters/processor/recording-sampler.ts';
import type { Config } from './config.ts';

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
}

/**
 * Starts OpenTelemetry: every span goes to the recorder, sampled or not, and the sampled ones beside it over OTLP if an
 * endpoint is set. With `OTEL_SDK_DISABLED=true` nothing is started and no step makes a span.
 *
 * @returns what ends it: flushes the recorder and the OTLP exporter, and lets another SDK be started afterwards
 */
export function startTelemetry(options: TelemetryOptions): () => Promise<void> {
  const { config, sampler, recorder, validatorHotkey, instanceId } = options;
  const otlp = config.exportsTraces ? [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })] : [];
  const sdk = new NodeSDK({
    serviceName: config.serviceName,
    resource: resourceFromAttributes({
      'service.instance.id': instanceId,
      'weather.validator.hotkey': validatorHotkey,
    }),
    resourceDetectors: [envDetector],
    spanProcessors: [recorder, ...otlp],
    sampler: recordingSampler(sampler),
    metricReaders: [],
    logRecordProcessors: [],
    instrumentations: [],
  });
  sdk.start();
  return async () => {
    await sdk.shutdown();
    // The SDK leaves itself registered, and the next one of this process could not take its place.
    for (const api of [trace, context, propagation]) api.disable();
  };
}
