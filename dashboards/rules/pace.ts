import { durationMillis, type Duration } from './duration.ts';

/** How fast time goes for a rule. Its limits, `for` and ranges are written in time of production. */
export interface Pace {
  /** A limit, seconds. */
  readonly seconds: (production: number) => number;
  /** How long an expression must hold before its alert fires. */
  readonly held: (production: Duration) => string;
  /** A range or an offset. */
  readonly range: (production: Duration) => string;
}

/** The paces of what the rules watch: a simulated run hurries its waits, and its recorder goes on as ever. */
export interface Paces {
  readonly pipeline: Pace;
  readonly recorder: Pace;
}

/** Ranges that hold no two scrapes give nothing. */
const SHORTEST_RANGE_MILLIS = 5000;

/** Time that passes in a part of what it takes in production: 0.01 for a hundredth. */
export function paceOf(factor: number): Pace {
  if (!(factor > 0 && factor <= 1)) throw new RangeError(`The pace is ${factor}; allowed: above 0, up to 1.`);
  const millis = (production: Duration): number => Math.round(durationMillis(production) * factor);
  return {
    seconds: (production) => Number((production * factor).toPrecision(6)),
    held: (production) => (factor === 1 ? production : `${millis(production)}ms`),
    range: (production) =>
      factor === 1 ? production : `${Math.max(SHORTEST_RANGE_MILLIS, millis(production))}ms`,
  };
}

/** As time goes in production: every text stays as it is written. */
export const PRODUCTION: Paces = { pipeline: paceOf(1), recorder: paceOf(1) };
