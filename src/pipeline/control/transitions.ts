import type { RunStatus } from '#semconv';

/** The states of a miner in a run: the step that comes next, or how it ended. */
export const MINER_STATES = [
  'created',
  'seeded',
  'querying',
  'polling',
  'verifying',
  'scoring',
  'completed',
  'failed',
] as const;
export type MinerState = (typeof MINER_STATES)[number];

/** The states of a lead. `pending` waits until day one has ended; `due` and `waiting_for_truth` have a job. */
export const LEAD_STATES = ['pending', 'due', 'waiting_for_truth', 'scored', 'failed'] as const;
export type LeadState = (typeof LEAD_STATES)[number];

type Transitions<State extends string> = Readonly<Record<State, readonly State[]>>;

/** The allowed transitions of a run. A transition to the same status is a retry. */
export const RUN_TRANSITIONS: Transitions<RunStatus> = {
  created: ['seeding', 'failed', 'stale_abandoned'],
  seeding: ['seeding', 'gfs_ready', 'failed', 'stale_abandoned'],
  gfs_ready: ['querying_miners', 'failed', 'stale_abandoned'],
  querying_miners: ['awaiting_results', 'failed', 'stale_abandoned'],
  awaiting_results: ['awaiting_results', 'completed', 'failed', 'all_miners_failed', 'stale_abandoned'],
  completed: [],
  failed: [],
  all_miners_failed: [],
  stale_abandoned: [],
};

/** The allowed transitions of a miner: never back. */
export const MINER_TRANSITIONS: Transitions<MinerState> = {
  created: ['seeded'],
  seeded: ['querying', 'failed'],
  querying: ['querying', 'polling', 'verifying', 'failed'],
  polling: ['polling', 'verifying', 'failed'],
  verifying: ['verifying', 'scoring', 'failed'],
  scoring: ['scoring', 'completed', 'failed'],
  completed: [],
  failed: [],
};

/** The allowed transitions of a lead. */
export const LEAD_TRANSITIONS: Transitions<LeadState> = {
  pending: ['due', 'waiting_for_truth'],
  due: ['due', 'waiting_for_truth', 'scored', 'failed'],
  waiting_for_truth: ['due', 'waiting_for_truth', 'scored', 'failed'],
  scored: [],
  failed: [],
};

/** Whether a state has no transition out of it. */
export const isTerminal = <State extends string>(transitions: Transitions<State>, state: State): boolean =>
  transitions[state].length === 0;

/** @throws RangeError for a transition that is not in the table: a defect of the caller, never of the data */
export function requireTransition<State extends string>(
  transitions: Transitions<State>,
  from: State,
  to: State,
): void {
  if (transitions[from].includes(to)) return;
  throw new RangeError(
    `There is no transition from ${from} to ${to}; allowed from ${from}: ${transitions[from].join(', ') || 'none'}.`,
  );
}
