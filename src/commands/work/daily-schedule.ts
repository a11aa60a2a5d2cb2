import { nextTime, startOfDay, type TimeOfDay } from './time-of-day.ts';

/** Time, and what is done with it. */
export interface DailySchedule {
  readonly at: TimeOfDay;
  /** Makes the run of a cycle unless there is one already; asked again when it fails. */
  readonly onDue: (initTime: Date) => Promise<void>;
  /** Hears why a run could not be made. */
  readonly onProblem: (error: unknown) => void;
  readonly now: () => Date;
  /** Waits; rejects when the signal aborts. */
  readonly sleep: (millis: number, signal: AbortSignal) => Promise<unknown>;
  readonly signal: AbortSignal;
  /** Ends when one run was made or found, instead of going on day after day. */
  readonly once: boolean;
}

/** The clock is looked at this often: it may be set, and a machine may sleep. Also how soon a failure is tried again. */
const LOOK_MILLIS = 60_000;

/** T0 of the run that is due: 00Z of today once it is time, null before. */
export function dueCycle(now: Date, at: TimeOfDay): Date | null {
  const today = startOfDay(now);
  return now.getTime() >= today.getTime() + at ? today : null;
}

/**
 * Asks once a day, at the time or as soon after it as the process runs, for the run of that day's 00Z cycle. Nothing is
 * remembered outside of the database: whoever is asked knows whether the day has its run.
 *
 * @throws the reason of the signal when that aborts
 */
export async function keepSchedule(schedule: DailySchedule): Promise<void> {
  const { at, now, sleep, signal, once } = schedule;
  let asked: number | null = null;
  for (;;) {
    signal.throwIfAborted();
    const cycle = dueCycle(now(), at);
    if (cycle !== null && cycle.getTime() !== asked && (await ask(schedule, cycle))) asked = cycle.getTime();
    if (once && asked !== null) return;
    const untilNext = nextTime(now(), at).getTime() - now().getTime();
    await sleep(Math.min(untilNext, LOOK_MILLIS), signal).catch(() => signal.throwIfAborted());
  }
}

/** @returns whether the day has its run */
async function ask({ onDue, onProblem }: DailySchedule, cycle: Date): Promise<boolean> {
  try {
    await onDue(cycle);
    return true;
  } catch (error) {
    onProblem(error);
    return false;
  }
}
