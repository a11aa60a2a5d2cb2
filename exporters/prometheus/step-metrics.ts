import type { StepFact } from '#facts/step-fact';
import { FAULT_OF } from '#semconv';
import { METRICS } from '#semconv/metrics';
import { NamedCounts, type OverflowListener } from './named-counts.ts';
import type { ExemplarLabels, MetricRegistry } from './registry.ts';

/** Characters of all names and values together that OpenMetrics allows. */
const MAX_EXEMPLAR_CHARACTERS = 128;
const HEXADECIMAL = /^[0-9a-f]+$/;

/** The link from an observation to its span; undefined when the ids are no ids or too long to be shown. */
export function exemplarOf({
  traceId,
  spanId,
}: Pick<StepFact, 'traceId' | 'spanId'>): ExemplarLabels | undefined {
  const labels = { trace_id: traceId, span_id: spanId };
  const characters = Object.entries(labels).reduce((sum, [name, id]) => sum + name.length + id.length, 0);
  const areIds = HEXADECIMAL.test(traceId) && HEXADECIMAL.test(spanId);
  return areIds && characters <= MAX_EXEMPLAR_CHARACTERS ? labels : undefined;
}

/** Where finished steps are counted. */
export interface StepMetrics {
  /** Counts a step that was committed; a running step is ignored. */
  observe(fact: StepFact): void;
}

/** What the finished steps add up to: latencies, outcomes, errors, scores. */
export function createStepMetrics(
  registry: MetricRegistry,
  maxNames: number,
  { onOverflow }: { onOverflow: OverflowListener },
): StepMetrics {
  const durations = registry.histogram(METRICS.stepDuration);
  const steps = registry.counter(METRICS.steps);
  const errors = registry.counter(METRICS.stepErrors);
  const scores = registry.counter(METRICS.componentScores);
  const truncated = registry.counter(METRICS.truncatedSpans);
  const adjusted = new NamedCounts('reason', maxNames, { onOverflow });
  registry.derived(METRICS.adjustedValues, function* () {
    for (const [reason, value] of adjusted.totals()) yield { labels: { reason }, value };
  });

  return {
    observe: (fact) => {
      if (fact.phase !== 'ended') return;
      const labels = { step: fact.stepName, substep: fact.substepGroup, outcome: fact.status };
      steps.add(labels);
      if (fact.latencyNanos !== null) durations.observe(fact.latencyNanos / 1e9, labels, exemplarOf(fact));
      if (fact.error !== null) {
        const { type } = fact.error;
        errors.add({ step: fact.stepName, error_type: type, fault: FAULT_OF[type] });
      }
      for (const { scoreType } of fact.componentScores) scores.add({ score_type: scoreType });
      if (fact.truncated) truncated.add({});
      adjusted.add(fact.adjustments);
    },
  };
}
