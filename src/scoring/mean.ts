/** The finite ones of the values, in their order. Null and NaN are unknown, 0 is a value. */
export function finiteValues(values: Iterable<number | null>): number[] {
  const finite: number[] = [];
  for (const value of values) if (value !== null && Number.isFinite(value)) finite.push(value);
  return finite;
}

/** The arithmetic mean of the finite values; null when there is none (never NaN, never 0 for "nothing known"). */
export function finiteMean(values: Iterable<number | null>): number | null {
  const finite = finiteValues(values);
  if (finite.length === 0) return null;
  return finite.reduce((sum, value) => sum + value, 0) / finite.length;
}

/** A finite number unchanged; NaN, an infinity, null or undefined as null, the only encoding of "unknown" in scores. */
export function finiteOrNull(value: number | null | undefined): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
