import type { FieldValues } from './field-grid.ts';

/**
 * Share of the points at which the truth has a value that the forecast has one at, too: what a score of them stands for.
 *
 * @returns 0 to 1; null where the truth has no value at all
 */
export function coverageOf(forecast: FieldValues, truth: FieldValues): number | null {
  let known = 0;
  let covered = 0;
  for (let index = 0; index < truth.length; index++) {
    if (!Number.isFinite(truth[index])) continue;
    known++;
    if (Number.isFinite(forecast[index])) covered++;
  }
  return known === 0 ? null : covered / known;
}
