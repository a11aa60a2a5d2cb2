/** Encoded instructions of WebAssembly (core specification 2.0, section 5.4), as many as the scores need. */
export type Code = readonly number[];

/** Unsigned LEB128: groups of seven bits, the lowest first; the high bit is set on all but the last. */
export function unsigned(value: number): Code {
  const rest = Math.floor(value / 128);
  return rest === 0 ? [value] : [(value % 128) + 128, ...unsigned(rest)];
}

/** Signed LEB128 of a number from 0: bit 6 of the last group is the sign, so 64 to 127 need one group more. */
const signed = (value: number): Code =>
  value < 64 ? [value] : [(value % 128) + 128, ...signed(Math.floor(value / 128))];

/** SIMD instructions have the prefix byte 0xfd. */
const vector = (operation: number, ...operands: readonly Code[]): Code => [
  0xfd,
  ...unsigned(operation),
  ...operands.flat(),
];
const binary =
  (instruction: Code) =>
  (left: Code, right: Code): Code => [...left, ...right, ...instruction];
/** Alignments are hints, as powers of two; these are the natural ones of the stored types. */
const memory = (alignment: number, offset: number): Code => [alignment, ...unsigned(offset)];

export const get = (local: number): Code => [0x20, ...unsigned(local)];
export const set = (local: number, value: Code): Code => [...value, 0x21, ...unsigned(local)];

/** Constant of 32 bits. @throws RangeError for a negative number, which no program here needs */
export function integer(value: number): Code {
  if (!Number.isInteger(value) || value < 0) throw new RangeError(`${value} is not a whole number from 0.`);
  return [0x41, ...signed(value)];
}
export const addIntegers = binary([0x6a]);
export const multiplyIntegers = binary([0x6c]);

/** do-while loop: repeats `body` as long as `isLess` < `limit` afterwards; it runs at least once. */
export const repeatWhileLess = (body: Code, isLess: Code, limit: Code): Code => [
  ...[0x03, 0x40],
  ...body,
  ...[...isLess, ...limit, 0x48],
  ...[0x0d, 0x00],
  0x0b,
];

/** Lane-wise arithmetic on two doubles. */
export const add = binary(vector(0xf0));
export const subtract = binary(vector(0xf1));
export const multiply = binary(vector(0xf2));
/** Pseudo-minimum and pseudo-maximum: the right operand where it is less, or greater, than the left one. */
export const lesser = binary(vector(0xf6));
export const greater = binary(vector(0xf7));
export const absolute = (value: Code): Code => [...value, ...vector(0xec)];
export const zeros: Code = vector(0x0c, Array<number>(16).fill(0));

/** Loads two adjacent singles and promotes them to doubles. */
export const loadPair = (address: Code, offset: number): Code => [
  ...address,
  ...vector(0x5d, memory(2, offset)),
  ...vector(0x5f),
];
/** Loads one single into both lanes and promotes it to double (splat). */
export const loadTwice = (address: Code, offset: number): Code => [
  ...address,
  ...vector(0x09, memory(2, offset)),
  ...vector(0x5f),
];
export const storePair = (address: Code, offset: number, value: Code): Code => [
  ...address,
  ...value,
  ...vector(0x0b, memory(3, offset)),
];
