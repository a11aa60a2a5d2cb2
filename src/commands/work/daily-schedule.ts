import { nextTime, startOfDay, type TimeOfDay } from './time-of-day.ts';

/** The daily job, with clock and sleep injected. */
export interface DailySchedule {
  readonly at: TimeOfDay;
  /** Creates the run of a cycle unless it exists (idempotent); called again when it fails. */
  readonly onDue: (initTime: Date) => Promise<void>;
  /** Called with the reason when a run could not be created. */
  readonly onProblem: (error: unknown) => void;
  readonly now: () => Date;
  /** Waits; rejects when the signal aborts. */
  readonly sleep: (millis: number, signal: AbortSignal) => Promise<unknown>;
  readonly signal: AbortSignal;
  /** Ends when one run was created or found, instead of continuing daily. */
  readonly once: boolean;
}

/** Polling interval of the clock, which may be set, on a machine that may sleep. Also the retry delay after a failure. */
const CHECK_MILLIS = 60_000;

/** T0 of the run that is due: 00Z of today once it is time, null before. */
export function dueCycle(now: Date, at: TimeOfDay): Date | null {
  const today = startOfDay(now);
  return now.getTime() >= today.getTime() + at ? today : null;
}

/**
 * Requests the run of each day's 00Z cycle once, at the given time or as soon afterwards as the process runs. The
 * schedule keeps no state on disk: `onDue` is idempotent, as the database knows which day has its run.
 *
 * @throws the reason of the signal when that aborts
 */
export async function keepSchedule(schedule: DailySchedule): Promise<void> {
  const { at, now, sleep, signal, once } = schedule;
  let requestedCycle: number | null = null;
  for (;;) {
    signal.throwIfAborted();
    const cycle = dueCycle(now(), at);
    if (cycle !== null && cycle.getTime() !== requestedCycle && (await requestRun(schedule, cycle)))
      requestedCycle = cycle.getTime();
    if (once && requestedCycle !== null) return;
    const untilNext = nextTime(now(), at).getTime() - now().getTime();
    await sleep(Math.min(untilNext, CHECK_MILLIS), signal).catch(() => signal.throwIfAborted());
  }
}

/** @returns whether the day has its run */
async function requestRun({ onDue, onProblem }: DailySchedule, cycle: Date): Promise<boolean> {
  try {
    await onDue(cycle);
    return true;
  } catch (error) {
    onProblem(error);
    return false;
  }
}
