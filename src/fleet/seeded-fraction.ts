import { createHash } from 'node:crypto';

/** 32 bytes that follow from a seed and what they are for. */
export function seededBytes(seed: number, ...purpose: readonly (string | number)[]): Uint8Array {
  return createHash('sha256')
    .update(JSON.stringify([seed, ...purpose]))
    .digest();
}

/**
 * A number in [0, 1) that follows from a seed and what it is for. Unlike a generator it has no state, so the order in
 * which miners are asked changes nothing.
 */
export function seededFraction(seed: number, ...purpose: readonly (string | number)[]): number {
  return Buffer.from(seededBytes(seed, ...purpose)).readUInt32BE(0) / 2 ** 32;
}

/** A whole number from `from` to `to`, both included. */
export function seededInteger(
  range: { readonly from: number; readonly to: number },
  seed: number,
  ...purpose: readonly (string | number)[]
): number {
  return range.from + Math.floor(seededFraction(seed, ...purpose) * (range.to - range.from + 1));
}
