import { systemScheduler, type Scheduler } from './scheduler.ts';

/** Work that is done again and again. */
export interface IntervalTaskOptions {
  /** Done time after time, never twice at a time; its signal is aborted when the task is to end. */
  readonly work: (signal: AbortSignal) => Promise<unknown>;
  /** The run before the first one, at whose end the first rest begins; without it the first run begins at once. */
  readonly previousRun?: Promise<unknown>;
  /** How long to rest before it is done again; a function is asked each time. */
  readonly everyMillis: number | (() => number);
  /** And how long after it threw; `everyMillis` unless given. */
  readonly retryMillis?: number | (() => number);
  /** Receives what a run threw before the task was closed; without it errors are ignored. */
  readonly onError?: (error: unknown) => void;
  /** The timers of the process unless given. */
  readonly scheduler?: Scheduler;
}

/**
 * Interval task: does the work until it is closed, without overlapping runs and without keeping the process alive.
 *
 * @returns the closer: it resolves when work that is under way has ended
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
