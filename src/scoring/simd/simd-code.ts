/** Encoded instructions of WebAssembly (core specification 2.0, section 5.4), as many as the scores need. */
export type Code = readonly number[];

/** Whole numbers in groups of seven bits, the lowest first; the high bit says that more follow. */
export function unsigned(value: number): Code {
  const rest = Math.floor(value / 128);
  return rest === 0 ? [value] : [(value % 128) + 128, ...unsigned(rest)];
}

/** Such numbers with a sign: bit 6 of the last group repeats it, so that small positive ones may need a group more. */
const signed = (value: number): Code =>
  value < 64 ? [value] : [(value % 128) + 128, ...signed(Math.floor(value / 128))];

/** Vector instructions have a prefix of their own. */
const vector = (operation: number, ...operands: readonly Code[]): Code => [
  0xfd,
  ...unsigned(operation),
  ...operands.flat(),
];
const binary =
  (instruction: Code) =>
  (left: Code, right: Code): Code => [...left, ...right, ...instruction];
/** Alignments are hints, as powers of two; these match what is stored. */
const memory = (alignment: number, offset: number): Code => [alignment, ...unsigned(offset)];

export const get = (local: number): Code => [0x20, ...unsigned(local)];
export const set = (local: number, value: Code): Code => [...value, 0x21, ...unsigned(local)];

/** Whole numbers of 32 bits. @throws RangeError for a negative one, which no program here has */
export function integer(value: number): Code {
  if (!Number.isInteger(value) || value < 0) throw new RangeError(`${value} is not a whole number from 0.`);
  return [0x41, ...signed(value)];
}
export const addIntegers = binary([0x6a]);
export const multiplyIntegers = binary([0x6c]);

/** Runs `body`, and again as long as `isLess` than `limit` holds after it: a loop that runs at least once. */
export const repeatWhileLess = (body: Code, isLess: Code, limit: Code): Code => [
  ...[0x03, 0x40],
  ...body,
  ...[...isLess, ...limit, 0x48],
  ...[0x0d, 0x00],
  0x0b,
];

/** Two doubles at once. */
export const add = binary(vector(0xf0));
export const subtract = binary(vector(0xf1));
export const multiply = binary(vector(0xf2));
/** The right one where it is less, or greater, than the left one. */
export const lesser = binary(vector(0xf6));
export const greater = binary(vector(0xf7));
export const absolute = (value: Code): Code => [...value, ...vector(0xec)];
export const zeros: Code = vector(0x0c, Array<number>(16).fill(0));

/** Two singles that lie next to each other, as doubles. */
export const loadPair = (address: Code, offset: number): Code => [
  ...address,
  ...vector(0x5d, memory(2, offset)),
  ...vector(0x5f),
];
/** One single, twice, as doubles. */
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
