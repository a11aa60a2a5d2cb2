import type { EpochMicros } from '#facts/step-fact';
import { CLOSING_REASONS, type ClosingReason } from '#semconv';

/** What decides which of two ends of one step counts. */
export interface EndPrecedence {
  /** Null for an end that the step told itself. */
  readonly closing: ClosingReason | null;
  readonly completedAt: EpochMicros | null;
}

/**
 * Which of two ends of one step counts: what the step told itself before any closing of it, then the better reason, then
 * the later instant. Above 0: the first. Both may be seen in any order and any number; the same one stays.
 */
export function compareEndPrecedence(a: EndPrecedence, b: EndPrecedence): number {
  const rank = ({ closing }: EndPrecedence): number =>
    closing === null ? -1 : CLOSING_REASONS.indexOf(closing);
  if (a.closing === null && b.closing === null) return 0;
  return rank(b) - rank(a) || (a.completedAt ?? 0) - (b.completedAt ?? 0);
}
