import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  detectResources,
  envDetector,
  resourceFromAttributes,
  type Resource,
} from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TracerProvider,
  type Sampler,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';
import { toReadableSpan, withoutSecrets } from '#processor/readable-span';
import { recordingSampler } from '#processor/recording-sampler';
import type { Config } from '../config.ts';
import type { ObservedSpan } from '#facts/observed-span';
import { INSTRUMENTATION_SCOPE } from '#semconv/instrumentation-scope';
import { messageOf } from '#semconv/message-of';
import { hideSecrets } from '#semconv/secret-values';

import { attachRecorder } from '#steps/recorders';
import { createSharedProcessor, type SpanRecorder } from './shared-processor.ts';

const DEFAULT_SERVICE = 'barograph';

/** Where nothing is sent, a trace exists only if the one that called us sends it: that is what the sampled flag then says. */
const SAMPLER_OF_OTHERS = new ParentBasedSampler({ root: new AlwaysOffSampler() });

/** How the telemetry of a process is set up. */
export interface TelemetryOptions {
  readonly config: Pick<Config, 'exportsTraces' | 'serviceName'>;
  /** Decides what is sent over OTLP; what is recorded does not depend on it. */
  readonly sampler: Sampler;
  /** Receives every span, sampled or not. */
  readonly recorder: SpanRecorder;
  readonly validatorHotkey: string;
  /** Unique to this process. */
  readonly instanceId: string;
  /** Called when the last traces could not be sent: no reason to fail, because every span is recorded. */
  readonly onProblem: (message: string) => void;
}

/**
 * Limits of a span of ours. The environment's are for traces; here a dropped event is a lost score, and a cut hotkey
 * that of another miner. These bound what one span can take of memory and spool.
 */
const SPAN_LIMITS = {
  attributeCountLimit: 1024,
  attributeValueLengthLimit: Infinity,
  eventCountLimit: 65_536,
  linkCountLimit: 1024,
  attributePerEventCountLimit: 128,
  attributePerLinkCountLimit: 128,
};

/** The OpenTelemetry SDK of the recorder. */
export interface Telemetry {
  /**
   * For the program's own SDK: steps become its spans then, and no second ones are made. Its shutdown flushes, and the
   * recording stays open.
   */
  readonly spanProcessor: () => SpanProcessor;
  /** Exports over OTLP the synthetic ends of steps of dead processes, which no SDK made. */
  readonly exportClosings: (closings: readonly ObservedSpan[]) => void;
  /** Flushes the recorder and the OTLP exporter; steps are plain calls then, or spans of the program's SDK. */
  readonly close: () => Promise<void>;
}

/**
 * Starts an OpenTelemetry SDK that is never registered, so that the program's own provider, context and propagation
 * are what they were. Every span goes to the recorder, sampled or not; sampled ones also go over OTLP if an endpoint is
 * set.
 */
export function startTelemetry(options: TelemetryOptions): Telemetry {
  const { config, sampler, recorder } = options;
  const otlp = config.exportsTraces
    ? [new BatchSpanProcessor({ exporter: withoutSecrets(new OTLPTraceExporter()) })]
    : [];
  const provider = new TracerProvider({
    resource: resourceOf(options),
    spanProcessors: [recorder, ...otlp],
    sampler: recordingSampler(config.exportsTraces ? sampler : SAMPLER_OF_OTHERS),
    spanLimits: SPAN_LIMITS,
  });
  const { name, version, schemaUrl } = INSTRUMENTATION_SCOPE;
  const { validatorHotkey, instanceId } = options;
  const shared = createSharedProcessor(recorder, {
    'service.instance.id': instanceId,
    'weather.validator.hotkey': validatorHotkey,
  });
  const detach = attachRecorder({
    tracer: provider.getTracer(name, version, { schemaUrl }),
    get shared() {
      return shared.spans();
    },
  });
  return {
    spanProcessor: shared.processor,
    exportClosings: (closings) => {
      for (const processor of otlp) closings.forEach((span) => processor.onEnd(toReadableSpan(span)));
    },
    close: async () => {
      detach();
      await provider.shutdown().catch((error: unknown) => {
        const found = messageOf(error);
        options.onProblem(`The last traces could not be sent over OTLP: ${found}`);
        // The SDK stops waiting at the first processor that fails; the recorder must still be flushed.
        return recorder.shutdown();
      });
    },
  };
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
