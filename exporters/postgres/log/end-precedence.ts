import type { EpochMicros } from '#facts/step-fact';
import { CLOSING_REASONS, type ClosingReason } from '#semconv';

/** The fields that rank the competing ends of one step. */
export interface EndPrecedence {
  /** Null for a real end, which the step itself emitted. */
  readonly closing: ClosingReason | null;
  readonly completedAt: EpochMicros | null;
}

/**
 * Total order on competing ends of one step: a real end beats any closing (a synthetic end); closings rank by reason,
 * then by time. Above 0, `a` takes precedence. The winner does not depend on the order or the number of deliveries.
 */
export function compareEndPrecedence(a: EndPrecedence, b: EndPrecedence): number {
  const rank = ({ closing }: EndPrecedence): number =>
    closing === null ? -1 : CLOSING_REASONS.indexOf(closing);
  if (a.closing === null && b.closing === null) return 0;
  return rank(b) - rank(a) || (a.completedAt ?? 0) - (b.completedAt ?? 0);
}
