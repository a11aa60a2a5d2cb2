import { durationMillis, type Duration } from './duration.ts';

/** Time scale of rules. Limits, `for` and ranges are written in production time and scaled. */
export interface Pace {
  /** A limit, seconds. */
  readonly seconds: (production: number) => number;
  /** How long an expression must hold before its alert fires. */
  readonly held: (production: Duration) => string;
  /** A range or an offset. */
  readonly range: (production: Duration) => string;
}

/** The paces of the watched parts: a simulated run scales its waits down, its recorder runs in real time. */
export interface Paces {
  readonly pipeline: Pace;
  readonly recorder: Pace;
}

/** The shortest range: one that holds fewer than two scrapes returns nothing. */
const SHORTEST_RANGE_MILLIS = 5000;

/** A pace at which time takes a fraction of production time: 0.01 for a hundredth. */
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

/** The pace of production: durations stay as written. */
export const PRODUCTION: Paces = { pipeline: paceOf(1), recorder: paceOf(1) };
