import { systemScheduler, type Scheduler } from './scheduler.ts';

/** A repeated task. */
export interface IntervalTaskOptions {
  /** Called repeatedly, never concurrently; the signal aborts when the task is closed. */
  readonly work: (signal: AbortSignal) => Promise<unknown>;
  /** A run already in progress, after which the first pause begins; without it the first run begins at once. */
  readonly previousRun?: Promise<unknown>;
  /** Pause between two runs, ms; a function is called each time. */
  readonly everyMillis: number | (() => number);
  /** Pause after a run that threw, ms; `everyMillis` unless given. */
  readonly retryMillis?: number | (() => number);
  /** Receives the error of a run, unless the task was closed meanwhile; without it errors are ignored. */
  readonly onError?: (error: unknown) => void;
  /** The timers of the process unless given. */
  readonly scheduler?: Scheduler;
}

/**
 * Interval task: does the work until it is closed, without overlapping runs and without keeping the process alive.
 *
 * @returns a function that closes the task; it resolves when a run in progress has ended
 */
export function startIntervalTask(options: IntervalTaskOptions): () => Promise<void> {
  const { work, previousRun, everyMillis, retryMillis = everyMillis, scheduler = systemScheduler } = options;
  const controller = new AbortController();
  const { signal } = controller;
  let cancel = (): void => undefined;
  const round = async (run: () => Promise<unknown>): Promise<void> => {
    let rest = everyMillis;
    try {
      await run();
    } catch (error) {
      rest = retryMillis;
      if (!signal.aborted) options.onError?.(error);
    }
    if (signal.aborted) return;
    cancel = scheduler.schedule(typeof rest === 'number' ? rest : rest(), () => {
      current = round(() => work(signal));
    });
  };
  let current = round(() => previousRun ?? work(signal));
  return async () => {
    controller.abort();
    cancel();
    await current;
  };
}
