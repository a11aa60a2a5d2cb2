/**
 * The value, moved into [0, 1]. Only for finite values: callers test finiteness first, because a NaN that is clamped
 * can come out as a perfect score.
 */
export function clampToUnit(value: number): number {
  return Math.min(1, Math.max(0, value));
}
