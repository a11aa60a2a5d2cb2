import type { WorkerEvents } from 'graphile-worker';

/** The jobs of a session, as the queue's events report them. */
export interface SessionJobs {
  /** Ids of the running jobs. */
  readonly active: ReadonlySet<string>;
  /** How many jobs have ended. */
  readonly ended: () => number;
  /** Resolves when no worker has a fetch for a job under way. */
  readonly noFetchPending: () => Promise<void>;
  /** Registers the closing of a job, which the queue does not await. */
  readonly onClosing: (closing: Promise<unknown>) => void;
  /** Resolves when all closings registered so far are over. */
  readonly closed: () => Promise<unknown>;
}

/** Subscribes to the events of a session. Call it before the session starts, or jobs are missed. */
export function watchJobs(events: WorkerEvents): SessionJobs {
  const active = new Set<string>();
  let ended = 0;
  events.on('job:start', ({ job }) => active.add(job.id));
  events.on('job:complete', ({ job }) => {
    active.delete(job.id);
    ended += 1;
  });
  return { active, ended: () => ended, noFetchPending: watchFetches(events), ...watchClosings() };
}

/** Counts the fetches under way; a fetch ends with a job, without one, or with an error. */
function watchFetches(events: WorkerEvents): SessionJobs['noFetchPending'] {
  let open = 0;
  let waiting: (() => void)[] = [];
  const fetchEnded = (): void => {
    open -= 1;
    if (open > 0) return;
    for (const resolve of waiting) resolve();
    waiting = [];
  };
  events.on('worker:getJob:start', () => (open += 1));
  events.on('worker:getJob:empty', fetchEnded);
  events.on('worker:getJob:error', fetchEnded);
  events.on('job:start', fetchEnded);
  return () => (open === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve)));
}

function watchClosings(): Pick<SessionJobs, 'onClosing' | 'closed'> {
  const closings = new Set<Promise<unknown>>();
  return {
    onClosing: (closing) => {
      closings.add(closing);
      void closing.then(() => closings.delete(closing));
    },
    closed: () => Promise.all(closings),
  };
}
