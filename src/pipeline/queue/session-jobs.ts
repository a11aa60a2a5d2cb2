import type { WorkerEvents } from 'graphile-worker';

/** The jobs of a session, from the events of the queue. */
export interface SessionJobs {
  /** Ids of those that are being worked on. */
  readonly active: ReadonlySet<string>;
  /** How many have come to their end. */
  readonly ended: () => number;
  /** Resolves when no worker waits for the answer to its question for a job. */
  readonly nothingAsked: () => Promise<void>;
  /** Notes that the queue closes a job, which it does not wait for. */
  readonly onClosing: (closing: Promise<unknown>) => void;
  /** Resolves when all closings are over that were noted so far. */
  readonly closed: () => Promise<unknown>;
}

/** Begins to watch; the session must not have begun. */
export function watchJobs(events: WorkerEvents): SessionJobs {
  const active = new Set<string>();
  let ended = 0;
  events.on('job:start', ({ job }) => active.add(job.id));
  events.on('job:complete', ({ job }) => {
    active.delete(job.id);
    ended += 1;
  });
  return { active, ended: () => ended, nothingAsked: watchQuestions(events), ...watchClosings() };
}

/** A question for a job is answered by a job, by none, or by an error. */
function watchQuestions(events: WorkerEvents): SessionJobs['nothingAsked'] {
  let open = 0;
  let waiting: (() => void)[] = [];
  const answered = (): void => {
    open -= 1;
    if (open > 0) return;
    for (const resolve of waiting) resolve();
    waiting = [];
  };
  events.on('worker:getJob:start', () => (open += 1));
  events.on('worker:getJob:empty', answered);
  events.on('worker:getJob:error', answered);
  events.on('job:start', answered);
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
