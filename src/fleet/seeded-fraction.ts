import { createHash } from 'node:crypto';

/** Hash of a seed and a purpose: 32 bytes. */
export function seededBytes(seed: number, ...purpose: readonly (string | number)[]): Uint8Array {
  return createHash('sha256')
    .update(JSON.stringify([seed, ...purpose]))
    .digest();
}

/**
 * A number in [0, 1), hashed from a seed and a purpose. Unlike a generator it has no state, so the order of requests to
 * miners does not matter.
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
