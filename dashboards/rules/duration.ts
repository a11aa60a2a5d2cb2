const UNIT_MILLIS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A whole number of one unit, as Prometheus writes durations. */
export type Duration = `${number}${keyof typeof UNIT_MILLIS}`;

/** How long it is, milliseconds. */
export function durationMillis(duration: Duration): number {
  const unit = duration.at(-1) as keyof typeof UNIT_MILLIS;
  return Number(duration.slice(0, -1)) * UNIT_MILLIS[unit];
}
