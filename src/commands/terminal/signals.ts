/** The signals that ask a process to end, with the exit code by convention: 128 plus the number of the signal. */
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

/** Where signals come from: the process, or a stand-in. */
type SignalSource = Pick<NodeJS.Process, 'once' | 'off'>;

/**
 * Does work that Ctrl-C and SIGTERM end in good order. The first signal aborts with an {@link Interrupted}; what was
 * opened can then be closed. A second one ends the process at once.
 */
export async function interruptible<Result>(
  work: (signal: AbortSignal) => Promise<Result>,
  source: SignalSource = process,
): Promise<Result> {
  const controller = new AbortController();
  const interrupt = (signal: NodeJS.Signals): void => {
    stopHearing();
    controller.abort(new Interrupted(signal === 'SIGINT' ? signal : 'SIGTERM'));
  };
  const stopHearing = (): void => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) source.off(name, interrupt);
  };
  for (const name of ['SIGINT', 'SIGTERM'] as const) source.once(name, interrupt);
  try {
    return await work(controller.signal);
  } finally {
    stopHearing();
  }
}

/** Waits for a promise, but no longer than until the signal aborts. @throws the reason of the signal */
export async function untilAborted<Result>(signal: AbortSignal, promise: Promise<Result>): Promise<Result> {
  // Whatever becomes of it later, nobody else listens.
  promise.catch(() => undefined);
  signal.throwIfAborted();
  let giveUp: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    giveUp = () => reject(signal.reason as Error);
    signal.addEventListener('abort', giveUp, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (giveUp !== undefined) signal.removeEventListener('abort', giveUp);
  }
}
