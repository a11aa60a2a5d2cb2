import type { EpochMicros } from '#facts/step-fact';
import { CLOSING_REASONS, type ClosingReason } from '#semconv';

/** The fields by which competing ends of one step are ordered. */
export interface EndPrecedence {
  /** Null for a real end. */
  readonly closing: ClosingReason | null;
  readonly completedAt: EpochMicros | null;
}

/**
 * Total order on competing ends: a real end beats any synthetic one; synthetic ends rank by reason, then by time.
 *
 * Ends may arrive in any order and any number of times; a total order makes the same one win.
 *
 * @returns above 0 when the first wins
 */
export function compareEndPrecedence(a: EndPrecedence, b: EndPrecedence): number {
  const rank = ({ closing }: EndPrecedence): number =>
    closing === null ? -1 : CLOSING_REASONS.indexOf(closing);
  if (a.closing === null && b.closing === null) return 0;
  return rank(b) - rank(a) || (a.completedAt ?? 0) - (b.completedAt ?? 0);
}
