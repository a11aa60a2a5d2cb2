import type { StepFact } from '#facts/step-fact';
import { FAULT_OF, faultOfRun } from '#semconv';
import { METRICS } from '#semconv/metrics';
import { NamedCounts, type OverflowListener } from './named-counts.ts';
import type { ExemplarLabels, MetricRegistry } from './registry.ts';

/** Limit of OpenMetrics for the characters of all names and values of an exemplar together. */
const MAX_EXEMPLAR_CHARACTERS = 128;
const HEXADECIMAL = /^[0-9a-f]+$/;

/** The exemplar of an observation: its trace and span. Undefined when nobody has the trace, or the ids are no hexadecimal. */
export function exemplarOf({
  traceId,
  spanId,
  traceSampled,
}: Pick<StepFact, 'traceId' | 'spanId' | 'traceSampled'>): ExemplarLabels | undefined {
  if (traceSampled === false) return undefined;
  const labels = { trace_id: traceId, span_id: spanId };
  const characters = Object.entries(labels).reduce((sum, [name, id]) => sum + name.length + id.length, 0);
  const areIds = HEXADECIMAL.test(traceId) && HEXADECIMAL.test(spanId);
  return areIds && characters <= MAX_EXEMPLAR_CHARACTERS ? labels : undefined;
}

/** Metrics of finished steps. */
export interface StepMetrics {
  /** Counts a committed step; a step that still runs is ignored. */
  observe(fact: StepFact): void;
}

/** Registers the metrics of finished steps: latencies, outcomes, errors, scores. */
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
        const fault = fact.minerHotkey === null ? faultOfRun(type) : FAULT_OF[type];
        errors.add({ step: fact.stepName, error_type: type, fault });
      }
      for (const { scoreType } of fact.componentScores) scores.add({ score_type: scoreType });
      if (fact.truncated) truncated.add({});
      adjusted.add(fact.adjustments);
    },
  };
}
