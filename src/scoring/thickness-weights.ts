/**
 * Mass weights of pressure levels (domain 4.1). For sorted levels p1..pn the thickness is (p2 - p1) / 2 for the first,
 * (pn - pn-1) / 2 for the last and (p[i+1] - p[i-1]) / 2 between, normalised to a sum of 1. A single level weighs 1.
 *
 * @param pressuresHpa distinct levels in hPa, in any order
 * @returns one weight per level, in the order given
 * @throws RangeError when there is no level, a level is not a positive number, or a level comes twice
 */
export function thicknessWeights(pressuresHpa: readonly number[]): number[] {
  const sorted = sortedLevels(pressuresHpa);
  if (sorted.length === 1) return [1];
  const lowest = sorted[0] ?? NaN;
  const highest = sorted.at(-1) ?? NaN;
  const weights = new Map(
    sorted.map((pressure, index) => {
      const above = sorted[index - 1] ?? pressure;
      const below = sorted[index + 1] ?? pressure;
      return [pressure, (below - above) / 2 / (highest - lowest)];
    }),
  );
  return pressuresHpa.map((pressure) => weights.get(pressure) ?? NaN);
}

function sortedLevels(pressuresHpa: readonly number[]): number[] {
  const invalid = pressuresHpa.find((pressure) => !(Number.isFinite(pressure) && pressure > 0));
  if (pressuresHpa.length === 0 || invalid !== undefined) {
    throw new RangeError(
      `Thickness weights need one or more positive pressures in hPa, got ${String(invalid ?? 'none')}; give the levels of the field.`,
    );
  }
  const sorted = [...new Set(pressuresHpa)].sort((a, b) => a - b);
  if (sorted.length !== pressuresHpa.length) {
    throw new RangeError(
      `Thickness weights need distinct levels, got [${pressuresHpa.join(', ')}] hPa; remove the repeated level.`,
    );
  }
  return sorted;
}
