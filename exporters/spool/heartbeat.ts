import { startIntervalTask } from '#lifecycle/interval-task';
import type { Scheduler } from '#lifecycle/scheduler';
import type { ExportReport, SpanSink } from '../export-report.ts';
import { NOTHING_ADOPTED, type Adopted } from './recovery/adopt-spools.ts';
import type { Spool } from './spool.ts';
import type { SpoolFolder } from './spool-folder.ts';

/** Intervals of the heartbeat and of the search for orphaned spools, ms. */
const HEARTBEAT_MILLIS = 10_000;
const ADOPTION_MILLIS = 60_000;
/** Fill level, as a part of the limit, at which a warning is issued. */
const WARNING_RATIO = 0.8;

/** Collaborators of the upkeep. */
export interface UpkeepOptions {
  readonly spool: Spool;
  readonly folder: SpoolFolder;
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
  const heartbeat = { everyMillis: HEARTBEAT_MILLIS, previousRun: Promise.resolve(), scheduler };
  const stopWatchdog = startIntervalTask({ ...heartbeat, work: watchdog });
  const stopHeartbeats = startIntervalTask({ ...heartbeat, work: () => sendHeartbeat(options) });
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

/** Renews the lock, and fences the spool when it is lost. Warns on the rising edge of the fill level, not on every check. */
function createWatchdog({ spool, folder, limitBytes, onProblem }: UpkeepOptions): () => Promise<void> {
  let isWarned = false;
  return async () => {
    if (!(await folder.lock.touch())) {
      spool.fence();
      onProblem(
        `Another process has taken over ${folder.directory}: nothing more is recorded. Start this one again.`,
      );
      return;
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

async function sendHeartbeat({ spool, sink, onProblem }: UpkeepOptions): Promise<void> {
  if (spool.isUnused) return;
  const report: ExportReport = await sink.export([], { account: spool.account() });
  if (report.kind === 'rejected') onProblem(`A heartbeat was rejected: ${String(report.error)}`);
}
