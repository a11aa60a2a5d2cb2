const HOUR_MILLIS = 3_600_000;
const DAY_MILLIS = 24 * HOUR_MILLIS;

/** ERA5 is published five days after its valid time, and processing takes some hours more. */
const ERA5_DELAY_MILLIS = 5 * DAY_MILLIS + 6 * HOUR_MILLIS;
/** How long after its valid time truth is given up. */
const GIVE_UP_MILLIS = 30 * DAY_MILLIS;

/** Poll interval for overdue truth, seconds of production. */
export const TRUTH_POLL_SECONDS = 3600;

/** The instant that a lead is a forecast for: T0 + L. */
export const validTimeOf = (initTime: Date, leadHours: number): Date =>
  new Date(initTime.getTime() + leadHours * HOUR_MILLIS);

/** When ERA5 for a lead is due: T0 + L + 5 days + 6 hours. */
export const truthDueTime = (initTime: Date, leadHours: number): Date =>
  new Date(validTimeOf(initTime, leadHours).getTime() + ERA5_DELAY_MILLIS);

/** When truth for a lead is given up: T0 + L + 30 days. */
export const truthGiveUpTime = (initTime: Date, leadHours: number): Date =>
  new Date(validTimeOf(initTime, leadHours).getTime() + GIVE_UP_MILLIS);

/**
 * Scales the time from the start of a run to an instant by `delayFactor`: start + (instant − start) · factor.
 *
 * An instant before the start stays before it, so a run of old weather waits for nothing.
 */
export const scaleDelay = (instant: Date, startedAt: Date, delayFactor: number): Date =>
  new Date(startedAt.getTime() + (instant.getTime() - startedAt.getTime()) * delayFactor);
