import { createRandom, deriveSeed } from './seeded-random.ts';

/** Share of corrupted fields, and of corrupted values in them: far more than any coverage rule allows. */
const CORRUPTED_FIELDS = 0.4;
const CORRUPTED_VALUES = 0.1;

/** Creates a function that corrupts a field in place and returns it; the first field is always corrupted. */
export function createFieldCorruption(
  kind: 'none' | 'nan',
  seed: number,
): (field: Float32Array) => Float32Array {
  if (kind === 'none') return (field) => field;
  const random = createRandom(deriveSeed(seed, 'corruption'));
  let fields = 0;
  return (field) => {
    fields += 1;
    if (fields > 1 && random() >= CORRUPTED_FIELDS) return field;
    const offset = Math.floor(random() * field.length);
    const length = Math.ceil(field.length * CORRUPTED_VALUES);
    for (let step = 0; step < length; step += 1) field[(offset + step) % field.length] = Number.NaN;
    return field;
  };
}
