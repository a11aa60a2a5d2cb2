import type { StepFact } from '#facts/step-fact';
import type { ExemplarLabels } from './registry.ts';

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
