import type { ExportReport, SpanSink } from '../export-report.ts';
import type { Scheduler } from '../processor/scheduler.ts';
import type { Adopted } from './adopt-spools.ts';
import type { Spool } from './exporter.ts';
import type { SpoolFolder } from './spool-folder.ts';

/** How often a process says that it lives, and looks for the spools of dead ones, ms. */
const HEARTBEAT_MILLIS = 10_000;
const ADOPTION_MILLIS = 60_000;
/** Part of its limit at which a spool says that it fills up. */
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
  const { scheduler, adopt } = options;
  const beating = repeat(scheduler, HEARTBEAT_MILLIS, () => beat(options));
  const adopted = adopt();
  const adopting = repeat(scheduler, ADOPTION_MILLIS, adopt);
  return {
    adopted,
    stop: async () => {
      await Promise.all([beating(), adopting(), adopted]);
    },
  };
}

async function beat({ spool, folder, limitBytes, sink, onProblem }: UpkeepOptions): Promise<void> {
  if (!(await folder.lock.touch())) {
    spool.disown();
    onProblem(
      `Another process has taken over ${folder.directory}: nothing more is recorded. Start this one again.`,
    );
    return;
  }
  if (spool.bytes > limitBytes * WARNING_PART) {
    const percent = Math.round((100 * spool.bytes) / limitBytes);
    onProblem(`The spool is ${percent} % full; beyond 100 % records are dropped. Is the database reachable?`);
  }
  if (spool.isUnused) return;
  const report: ExportReport = await sink.export([], { account: spool.account() });
  if (report.kind === 'rejected') onProblem(`A heartbeat was refused: ${String(report.error)}`);
}

/** Does something again and again, once at a time. @returns what ends it, when the last time is over */
function repeat(scheduler: Scheduler, millis: number, work: () => Promise<unknown>): () => Promise<void> {
  let underWay: Promise<unknown> = Promise.resolve();
  let isOver = false;
  let cancel = (): void => undefined;
  const plan = (): void => {
    if (isOver) return;
    cancel = scheduler.schedule(millis, () => {
      underWay = work()
        .catch(() => undefined)
        .then(plan);
    });
  };
  plan();
  return async () => {
    isOver = true;
    cancel();
    await underWay;
  };
}
