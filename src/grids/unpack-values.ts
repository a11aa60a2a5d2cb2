import type { ArrayDescription } from './array-description.ts';

/** How stored numbers become physical ones (CF conventions, sections 2.5.1 and 8.1). */
export type Packing = Pick<ArrayDescription, 'dataType' | 'scaleFactor' | 'addOffset' | 'missingValues'>;

/** `stored * scale_factor + add_offset`, and NaN for the marks of absent values. */
export function createUnpacker(packing: Packing): (stored: number) => number {
  const { dataType, scaleFactor, addOffset, missingValues } = packing;
  const marks = dataType === 'float32' ? missingValues.map(Math.fround) : missingValues;
  return (stored) => (marks.includes(stored) ? Number.NaN : stored * scaleFactor + addOffset);
}

/** Whether stored values are physical ones already, so that they need not be touched. */
export function isUnpacked({ scaleFactor, addOffset, missingValues }: Packing): boolean {
  return scaleFactor === 1 && addOffset === 0 && missingValues.length === 0;
}
