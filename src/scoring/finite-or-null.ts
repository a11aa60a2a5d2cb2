/** A finite number as it is; NaN, an infinity or nothing as null, the one way in which scores say "unknown". */
export function finiteOrNull(value: number | null | undefined): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
