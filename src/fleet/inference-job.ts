import type { HostedStore } from './hosted-store.ts';

/** State of a simulated miner's job. */
export type InferenceState =
  | { readonly kind: 'running'; readonly progress: number }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'completed'; readonly store: HostedStore };

/** Course of a job. */
export interface InferenceJobOptions {
  /** Called once, when the job begins; a rejected promise fails the job. */
  readonly makeStore: () => Promise<HostedStore>;
  /** Polls answered with "running" before the last one. */
  readonly polls: number;
  /** Message with which the job fails after its polls; null for a job that completes. */
  readonly failure: string | null;
  /** Longest wait of a response for a forecast in progress, milliseconds. */
  readonly maxWaitMillis: number;
}

/** An accepted job. */
export interface InferenceJob {
  /** Counts a poll and returns the state of the job. */
  readonly poll: () => Promise<InferenceState>;
  /** The state of the job, without counting a poll. */
  readonly state: () => Promise<InferenceState>;
}

/** Cancellable timer: `expired` resolves with null after `millis`; `stop` clears it. */
function startTimeout(millis: number): { readonly expired: Promise<null>; readonly stop: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, millis, null);
  });
  return { expired: expired, stop: () => clearTimeout(timer) };
}

/** Begins a job. Its length is counted in polls, so that it does not depend on how fast the machine is. */
export function beginInference(options: InferenceJobOptions): InferenceJob {
  let polls = 0;
  const outcome: Promise<InferenceState> =
    options.failure === null
      ? options.makeStore().then(
          (store) => ({ kind: 'completed', store }),
          () => ({ kind: 'failed', message: 'inference failed: the forecast could not be made' }),
        )
      : Promise.resolve({ kind: 'failed', message: options.failure });

  const finalState = async (): Promise<InferenceState> => {
    const { expired: expired, stop } = startTimeout(options.maxWaitMillis);
    const state = await Promise.race([outcome, expired]);
    stop();
    return state ?? { kind: 'running', progress: 99 };
  };
  const state = async (): Promise<InferenceState> =>
    polls < options.polls
      ? { kind: 'running', progress: Math.round((100 * polls) / options.polls) }
      : finalState();

  return {
    state,
    async poll() {
      const current = await state();
      polls += 1;
      return current;
    },
  };
}
