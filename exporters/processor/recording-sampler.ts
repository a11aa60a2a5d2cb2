import { SamplingDecision, type Sampler } from '@opentelemetry/sdk-trace';

/** The attribute that makes a span a step. */
export const STEP_NAME = 'weather.step.name';

/**
 * Decorates a sampler so that every step is recorded, whatever the sampling of traces decides. A step that the delegate drops
 * gets the decision RECORD (not sampled): it reaches the rows and no trace exporter. Other spans get the delegate's decision.
 *
 * @example
 * ```ts
 * import { ParentBasedSampler, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace';
 * import { recordingSampler } from 'barograph';
 *
 * // One trace of a hundred is exported; every step becomes rows.
 * const sampler = recordingSampler(new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(0.01) }));
 * ```
 */
export function recordingSampler(delegate: Sampler): Sampler {
  return {
    // Hot path, called for every span: explicit parameters avoid a rest array.
    shouldSample(context, traceId, spanName, spanKind, attributes, links) {
      const result = delegate.shouldSample(context, traceId, spanName, spanKind, attributes, links);
      if (result.decision !== SamplingDecision.NOT_RECORD || attributes[STEP_NAME] === undefined)
        return result;
      return { ...result, decision: SamplingDecision.RECORD };
    },
    toString: () => `RecordingSampler{${delegate.toString()}}`,
  };
}
