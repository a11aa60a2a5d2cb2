/** Work that is done again and again. */
export interface RepeatedWorkOptions {
  /** Done at once and then time after time, never twice at a time; its signal is aborted when it is to end. */
  readonly work: (signal: AbortSignal) => Promise<void>;
  /** How long to rest before it is done again; a function is asked each time. */
  readonly everyMillis: number | (() => number);
  /** And how long after it threw. */
  readonly retryMillis: number | (() => number);
  readonly onError: (error: unknown) => void;
}

/**
 * Does the work until it is closed, without keeping the process alive for it.
 *
 * @returns the closer: it resolves when work that is under way has ended
 */
export function startRepeatedWork(options: RepeatedWorkOptions): () => Promise<void> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const round = async (): Promise<void> => {
    let rest = options.everyMillis;
    try {
      await options.work(controller.signal);
    } catch (error) {
      rest = options.retryMillis;
      if (!controller.signal.aborted) options.onError(error);
    }
    if (controller.signal.aborted) return;
    timer = setTimeout(
      () => {
        current = round();
      },
      typeof rest === 'number' ? rest : rest(),
    );
    timer.unref();
  };
  let current = round();
  return async () => {
    controller.abort();
    clearTimeout(timer);
    await current;
  };
}
