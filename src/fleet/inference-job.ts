import type { HostedStore } from './hosted-store.ts';

/** A job of a simulated miner. */
export type InferenceState =
  | { readonly kind: 'running'; readonly progress: number }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'completed'; readonly store: HostedStore };

/** How a job goes. */
export interface InferenceJobOptions {
  /** Asked for once, when the job begins; a rejection makes the job fail. */
  readonly makeStore: () => Promise<HostedStore>;
  /** Polls answered with "running" before the last one. */
  readonly polls: number;
  /** The reply to the last poll instead of "completed". */
  readonly failure: string | null;
  /** How long an answer waits for a forecast that is still being made, milliseconds. */
  readonly patienceMillis: number;
}

/** An accepted job. */
export interface InferenceJob {
  /** Counts a poll and gives the state of the job. */
  readonly poll: () => Promise<InferenceState>;
  /** How the job stands, without counting. */
  readonly state: () => Promise<InferenceState>;
}

/** Resolves with null after a while; `stop` ends the wait. */
function patience(millis: number): { readonly over: Promise<null>; readonly stop: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, millis, null);
  });
  return { over, stop: () => clearTimeout(timer) };
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

  const lastWord = async (): Promise<InferenceState> => {
    const { over, stop } = patience(options.patienceMillis);
    const state = await Promise.race([outcome, over]);
    stop();
    return state ?? { kind: 'running', progress: 99 };
  };
  const state = async (): Promise<InferenceState> =>
    polls < options.polls
      ? { kind: 'running', progress: Math.round((100 * polls) / options.polls) }
      : lastWord();

  return {
    state,
    async poll() {
      const current = await state();
      polls += 1;
      return current;
    },
  };
}
