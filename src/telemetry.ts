import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor, type SpanProcessor } from '@opentelemetry/sdk-trace';
import { recordingSampler } from '../exporters/processor/recording-sampler.ts';
import type { Config } from './config.ts';
import { createSampler } from './sampler.ts';

/** What the telemetry of a process is made of. */
export interface TelemetryOptions {
  readonly config: Pick<Config, 'exportsTraces' | 'sampler' | 'samplerArgument'>;
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
 * @returns what ends it: flushes the recorder and the OTLP exporter.
 */
export function startTelemetry(options: TelemetryOptions): () => Promise<void> {
  const { config, recorder, validatorHotkey, instanceId } = options;
  const otlp = config.exportsTraces ? [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })] : [];
  const sdk = new NodeSDK({
    serviceName: process.env['OTEL_SERVICE_NAME'] ?? 'barograph',
    resource: resourceFromAttributes({
      'service.instance.id': instanceId,
      'weather.validator.hotkey': validatorHotkey,
    }),
    resourceDetectors: [envDetector],
    spanProcessors: [recorder, ...otlp],
    sampler: recordingSampler(createSampler(config.sampler, config.samplerArgument)),
    metricReaders: [],
    logRecordProcessors: [],
    instrumentations: [],
  });
  sdk.start();
  return () => sdk.shutdown();
}
