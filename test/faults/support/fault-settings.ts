/** A whole number of the environment. @throws RangeError naming the variable, what it holds and what is allowed */
export function wholeNumberOf(variable: string, usual: number): number {
  const text = process.env[variable] ?? '';
  if (text === '') return usual;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0) return value;
  throw new RangeError(
    `${variable} is "${text}"; allowed: a whole number from 0. Correct it or leave it out.`,
  );
}

/** What all fault tests are drawn from: the same seed gives the same world, miners and instants. */
export const FAULT_SEED = wholeNumberOf('BAROGRAPH_FAULT_SEED', 1);
/** How many simulated miners take part. */
export const FAULT_MINERS = wholeNumberOf('BAROGRAPH_FAULT_MINERS', 8);
