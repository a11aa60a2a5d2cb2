import { startIntervalTask } from '#lifecycle/interval-task';
import type { Scheduler } from '#lifecycle/scheduler';
import type { ExportReport, SpanSink } from '../export-report.ts';
import { NOTHING_ADOPTED, type Adopted } from './recovery/adopt-spools.ts';
import type { ReplaceableSpool } from './replaceable-spool.ts';

/** Intervals of the check of the folder, of the heartbeat and of the search for orphaned spools, ms. */
const WATCHDOG_MILLIS = 1000;
const HEARTBEAT_MILLIS = 10_000;
const ADOPTION_MILLIS = 5000;
/** Fill level, as a part of the limit, at which a warning is issued. */
const WARNING_RATIO = 0.8;

/** Collaborators of the upkeep. */
export interface UpkeepOptions {
  readonly spool: Pick<
    ReplaceableSpool,
    'isIdle' | 'bytes' | 'isBookless' | 'account' | 'keep' | 'finishRescued'
  >;
  readonly limitBytes: number;
  readonly sink: SpanSink;
  readonly adopt: () => Promise<Adopted>;
  readonly scheduler: Scheduler;
  readonly onProblem: (message: string) => void;
}

/** The periodic tasks of a spool, until they are stopped. */
export interface Upkeep {
  /** Resolves when the first adoption, of the spools found at the start, has finished. */
  readonly adopted: Promise<Adopted>;
  /** Stops the tasks; resolves when none is running any more. */
  stop(): Promise<void>;
}

/** Starts the heartbeat, the watchdog of lock and fill level, and the periodic adoption of orphaned spools. */
export function startUpkeep(options: UpkeepOptions): Upkeep {
  const { scheduler, onProblem } = options;
  // A timer of its own: a heartbeat that hangs on the database must not stop the renewal of the lock.
  const watchdog = createWatchdog(options);
  const task = { previousRun: Promise.resolve(), scheduler };
  const stopWatchdog = startIntervalTask({ ...task, everyMillis: WATCHDOG_MILLIS, work: watchdog });
  const stopHeartbeats = startIntervalTask({
    ...task,
    everyMillis: HEARTBEAT_MILLIS,
    work: (signal) => sendHeartbeat(options, signal),
  });
  const adopt = (): Promise<Adopted> =>
    options.adopt().catch((error: unknown) => {
      onProblem(`The spools of dead processes could not be adopted: ${String(error)}`);
      return NOTHING_ADOPTED;
    });
  const adopted = adopt();
  const stopAdopting = startIntervalTask({
    everyMillis: ADOPTION_MILLIS,
    previousRun: adopted,
    work: adopt,
    scheduler,
  });
  return {
    adopted,
    stop: async () => {
      await Promise.all([stopWatchdog(), stopHeartbeats(), stopAdopting()]);
    },
  };
}

/**
 * Keeps the folder, and tells the database what is dropped while the disk refuses the books. Warns on the rising edge of the
 * fill level, not on every check.
 */
function createWatchdog(options: UpkeepOptions): (signal: AbortSignal) => Promise<void> {
  const { spool, limitBytes, onProblem } = options;
  let isWarned = false;
  let isTelling = false;
  let isRefused = false;
  return async (signal) => {
    await spool.keep();
    if (spool.isBookless && !isRefused)
      onProblem(
        'The disk of the spool refuses to be written: records may be dropped. Is it full, or read-only? What is dropped is ' +
          'told to the database every second.',
      );
    isRefused = spool.isBookless;
    if (isRefused && !isTelling) {
      isTelling = true;
      // Not waited for: a database that hangs must not stop the renewal of the lock.
      void sendAccount(options, signal)
        .catch(() => undefined)
        .finally(() => (isTelling = false));
    }
    const isFilling = spool.bytes > limitBytes * WARNING_RATIO;
    if (isFilling && !isWarned) {
      const percent = Math.round((100 * spool.bytes) / limitBytes);
      onProblem(
        `The spool is ${percent} % full; beyond 100 % records are dropped. Is the database reachable?`,
      );
    }
    isWarned = isFilling;
  };
}

/** Abandoned when the upkeep is stopped: a process that closes does not wait for a silent database. */
async function sendHeartbeat(options: UpkeepOptions, signal: AbortSignal): Promise<void> {
  await options.spool.finishRescued(signal);
  await sendAccount(options, signal);
}

async function sendAccount({ spool, sink, onProblem }: UpkeepOptions, signal: AbortSignal): Promise<void> {
  if (spool.isIdle) return;
  const report: ExportReport = await sink.export([], { account: spool.account(), signal });
  if (report.kind === 'rejected') onProblem(`A heartbeat was rejected: ${String(report.error)}`);
}
