const HOURS_PER_CYCLE = 6;

/**
 * Checks that T0 is a GFS cycle: 00, 06, 12 or 18 UTC, on the hour.
 *
 * @throws RangeError naming what was got and what is allowed
 */
export function requireForecastCycle(initTime: Date): Date {
  const millis = initTime.getTime();
  if (millis % (HOURS_PER_CYCLE * 3_600_000) === 0) return initTime;
  const got = Number.isNaN(millis) ? 'an invalid date' : initTime.toISOString();
  throw new RangeError(
    `T0 is ${got}; a run starts from a GFS cycle, at 00:00, 06:00, 12:00 or 18:00 UTC. ` +
      'Give the initialisation time of the cycle, not the time of the run.',
  );
}

/** The cycle before T0, from which a forecast also starts. */
export const previousCycle = (initTime: Date): Date =>
  new Date(initTime.getTime() - HOURS_PER_CYCLE * 3_600_000);

/** A cycle as people write it, for example `2026-11-23T00Z`. */
export const cycleName = (initTime: Date): string => `${initTime.toISOString().slice(0, 13)}Z`;
