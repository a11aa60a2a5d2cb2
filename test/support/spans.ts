import { T } from '#bench/support/ended-span';
import type { ObservedEvent, ObservedSpan } from '#facts/observed-span';

export { endedSpan, hexOf, INIT_TIME, MINER, T, type SpanOptions } from '#bench/support/ended-span';

/** The same span, as it is observed when it starts: nothing is known of its end. */
export function startOfSpan(span: ObservedSpan): ObservedSpan {
  const known = Object.entries(span.attributes).filter(([name]) =>
    /^weather\.(step\.(name|substep|attempt|max_attempts)|run\.|miner\.|validator\.|lead_hours)/.test(name),
  );
  return {
    ...span,
    phase: 'started',
    endTimeUnixNano: null,
    statusCode: 'unset',
    statusMessage: null,
    attributes: Object.fromEntries(known),
    events: [],
  };
}

/** The event of one component score. */
export function componentScore(attributes: Readonly<Record<string, unknown>>): ObservedEvent {
  const named = Object.entries(attributes).map(
    ([name, value]) => [`weather.component.${name}`, value] as const,
  );
  return { name: 'weather.component_score', timeUnixNano: T, attributes: Object.fromEntries(named) };
}
