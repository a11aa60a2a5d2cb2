import { startIntervalTask } from '#lifecycle/interval-task';
import type { Scheduler } from '#lifecycle/scheduler';
import type { ExportReport, SpanSink } from '../export-report.ts';
import { NOTHING_ADOPTED, type Adopted } from './recovery/adopt-spools.ts';
import type { Spool } from './spool.ts';
import type { SpoolFolder } from './spool-folder.ts';

/** Interval of the heartbeat, and of the look for spools of dead processes, ms. */
const HEARTBEAT_MILLIS = 10_000;
const ADOPTION_MILLIS = 60_000;
/** Share of its limit at which a spool warns. */
const WARNING_PART = 0.8;

/** What the upkeep of a spool needs. */
export interface UpkeepOptions {
  readonly spool: Spool;
  readonly folder: SpoolFolder;
  readonly limitBytes: number;
  readonly sink: SpanSink;
  readonly adopt: () => Promise<Adopted>;
  readonly scheduler: Scheduler;
  readonly onProblem: (message: string) => void;
}

/** What is done for a spool while its process lives, until it is stopped. */
export interface Upkeep {
  /** Resolves when the spools that dead processes had left at the start have been looked after. */
  readonly adopted: Promise<Adopted>;
  /** Resolves when nothing of it is under way any more. */
  stop(): Promise<void>;
}

/** Shows that the process lives, warns before its spool is full, and takes over the spools of dead processes. */
export function startUpkeep(options: UpkeepOptions): Upkeep {
  const { scheduler, onProblem } = options;
  // Apart from the heartbeats: a database that hangs must not make a living process look dead.
  const watch = createWatch(options);
  const heartbeat = { everyMillis: HEARTBEAT_MILLIS, previousRun: Promise.resolve(), scheduler };
  const stopWatching = startIntervalTask({ ...heartbeat, work: watch });
  const stopBeating = startIntervalTask({ ...heartbeat, work: () => beat(options) });
  const adopt = (): Promise<Adopted> =>
    options.adopt().catch((error: unknown) => {
      onProblem(`The spools of dead processes could not be looked after: ${String(error)}`);
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
      await Promise.all([stopWatching(), stopBeating(), stopAdopting()]);
    },
  };
}

/** Renews the lock; warns once when the spool fills up, and again when that has passed and comes back. */
function createWatch({ spool, folder, limitBytes, onProblem }: UpkeepOptions): () => Promise<void> {
  let isWarned = false;
  return async () => {
    if (!(await folder.lock.touch())) {
      spool.fence();
      onProblem(
        `Another process has taken over ${folder.directory}: nothing more is recorded. Start this one again.`,
      );
      return;
    }
    const isFilling = spool.bytes > limitBytes * WARNING_PART;
    if (isFilling && !isWarned) {
      const percent = Math.round((100 * spool.bytes) / limitBytes);
      onProblem(
        `The spool is ${percent} % full; beyond 100 % records are dropped. Is the database reachable?`,
      );
    }
    isWarned = isFilling;
  };
}

async function beat({ spool, sink, onProblem }: UpkeepOptions): Promise<void> {
  if (spool.isUnused) return;
  const report: ExportReport = await sink.export([], { account: spool.account() });
  if (report.kind === 'rejected') onProblem(`A heartbeat was refused: ${String(report.error)}`);
}
