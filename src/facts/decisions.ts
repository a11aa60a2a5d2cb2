import { DECISION_ATTRIBUTES, EVENTS, scrubText } from '#semconv';
import type { Adjustments } from './clean-value.ts';
import { microsOfNanos } from './instants.ts';
import type { ObservedEvent } from './observed-span.ts';
import { readAttributes, type AttributeProblem } from './read-attributes.ts';
import type { DecisionFact } from './step-fact.ts';

/** The orchestration decisions among the events of a span, in their order. */
export function readDecisions(
  events: readonly ObservedEvent[],
  adjustments: Adjustments,
): { readonly decisions: readonly DecisionFact[]; readonly problems: readonly AttributeProblem[] } {
  const decisions: DecisionFact[] = [];
  const problems: AttributeProblem[] = [];
  for (const event of events) {
    if (event.name !== EVENTS.decision) continue;
    const { values, problems: wrong } = readAttributes(event.attributes, DECISION_ATTRIBUTES, adjustments);
    const decision = values['weather.orchestration.decision'];
    problems.push(...wrong);
    if (decision == null) {
      if (wrong.length === 0) problems.push(missingDecision);
      continue;
    }
    decisions.push({
      index: decisions.length,
      decision,
      reason: scrubText(values['weather.orchestration.reason'] ?? ''),
      level: values['weather.orchestration.level'] ?? 'INFO',
      at: microsOfNanos(event.timeUnixNano),
    });
  }
  return { decisions, problems };
}

const missingDecision: AttributeProblem = {
  attribute: 'weather.orchestration.decision',
  message: 'an orchestration decision needs weather.orchestration.decision',
};
