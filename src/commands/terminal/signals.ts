/** The signals that ask a process to end, with its exit code: 128 + signal number, as shells define it. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;
type EndSignal = keyof typeof EXIT_CODES;

/** The process was asked to end before its work was done. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly exitCode: number;

  constructor(signal: EndSignal) {
    super(`Ended by ${signal} before the work was done.`);
    this.exitCode = EXIT_CODES[signal];
  }
}

/** The source of signals: the process, or a test double. */
type SignalSource = Pick<NodeJS.Process, 'once' | 'off'>;

/**
 * Graceful shutdown: the first Ctrl-C or SIGTERM aborts the work with an {@link Interrupted}, so that it can close what
 * it opened. The listeners are gone then, so a second signal kills the process.
 */
export async function interruptible<Result>(
  work: (signal: AbortSignal) => Promise<Result>,
  source: SignalSource = process,
): Promise<Result> {
  const controller = new AbortController();
  const interrupt = (signal: NodeJS.Signals): void => {
    removeListeners();
    controller.abort(new Interrupted(signal === 'SIGINT' ? signal : 'SIGTERM'));
  };
  const removeListeners = (): void => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) source.off(name, interrupt);
  };
  for (const name of ['SIGINT', 'SIGTERM'] as const) source.once(name, interrupt);
  try {
    return await work(controller.signal);
  } finally {
    removeListeners();
  }
}

/** Waits for a promise, but no longer than until the signal aborts. @throws the reason of the signal */
export async function untilAborted<Result>(signal: AbortSignal, promise: Promise<Result>): Promise<Result> {
  // A rejection after the abort would be unhandled: the race is over by then.
  promise.catch(() => undefined);
  signal.throwIfAborted();
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
  }
}
