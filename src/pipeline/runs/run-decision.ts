import { EVENTS, type Decision, type ErrorCategory, type LogLevel, type RunStatus } from '#semconv';
import type { StepEvent } from '#steps';
import type { MinerCounts } from '../control/counts.ts';
import type { Failure } from '../control/moves.ts';
import type { RunRow } from '../control/run-row.ts';
import type { TaskName } from '../queue/jobs.ts';

/** One decision of the orchestrator, with its reason. */
export interface DecisionMade {
  readonly decision: Decision;
  readonly reason: string;
  readonly level: LogLevel;
}

/** The next status of a run, with its decisions and its next task. */
export interface RunPlan {
  readonly to: RunStatus;
  readonly decisions: readonly DecisionMade[];
  /** The task that works on the run next; null when the run waits for its miners or is over. */
  readonly next: TaskName | null;
  /** Why the run fails; absent unless it does. */
  readonly failure?: Failure;
}

/** The input of a decision. `failures` counts the failed miners by error category. */
export interface RunView {
  readonly run: Pick<RunRow, 'status' | 'day1Lead' | 'era5Leads' | 'failureCategory' | 'failureMessage'>;
  readonly miners: MinerCounts;
  readonly failures: Readonly<Partial<Record<ErrorCategory, number>>>;
}

const info = (decision: Decision, reason: string): DecisionMade => ({ decision, reason, level: 'INFO' });

/**
 * Decides the next status of a run. A pure function of its status and its miners: no clock, no I/O.
 *
 * @returns null where there is nothing to decide: the run waits for its miners or is over
 */
export function decideRun(view: RunView): RunPlan | null {
  const { run, miners } = view;
  switch (run.status) {
    case 'created':
      return total(miners) === 0 ? NO_MINERS : seedAndFetch(total(miners));
    case 'seeding':
      return run.failureCategory === null ? null : failWithoutGfs(run);
    case 'gfs_ready':
      return {
        to: 'querying_miners',
        decisions: [info('query_miners', `GFS is ready; ${counted(miners.seeded)} to query`)],
        next: 'orchestrate',
      };
    case 'querying_miners':
      return {
        to: 'awaiting_results',
        decisions: [
          info('await_results', `${counted(total(miners))} queried; leads ${run.era5Leads.join(', ')} h`),
        ],
        next: null,
      };
    case 'awaiting_results':
      return total(miners) === miners.completed + miners.failed ? completeRun(view) : null;
    case 'completed':
    case 'failed':
    case 'all_miners_failed':
    case 'stale_abandoned':
      return null;
  }
}

/** Two independent decisions: seeding the miners and fetching GFS. */
const seedAndFetch = (miners: number): RunPlan => ({
  to: 'seeding',
  decisions: [
    info('seed_miners', `${counted(miners)} take part`),
    info('fetch_gfs', 'analysis and forecast of GFS are needed for day one'),
  ],
  next: 'gfs_download',
});

/** A run fails: its miners and their forecasts end with it, by the fault of whoever the category names. */
export const failRun = (failure: Failure): RunPlan => ({
  to: 'failed',
  decisions: [{ decision: 'fail_run', reason: failure.message, level: 'ERROR' }],
  next: null,
  failure,
});

const NO_MINERS = failRun({
  category: 'validator_internal',
  message: 'There are no miners: the list of the run is empty.',
});

function failWithoutGfs({ failureCategory, failureMessage }: RunView['run']): RunPlan {
  const category = failureCategory ?? 'unknown';
  return failRun({
    category,
    message: `GFS could not be read (${category}): ${failureMessage ?? 'no message'}`,
  });
}

/** One completed forecast makes the run completed; without any it ends as `all_miners_failed`, an error. */
function completeRun({ miners, failures }: RunView): RunPlan {
  const why = Object.entries(failures).map(([category, count]) => `${category} ${count}`);
  if (miners.completed > 0) {
    const reason = `${miners.completed} of ${counted(total(miners))} completed${why.length > 0 ? `; failed: ${why.join(', ')}` : ''}`;
    return { to: 'completed', decisions: [info('complete_run', reason)], next: null };
  }
  const reason = `all ${counted(total(miners))} failed: ${why.join(', ')}`;
  return {
    to: 'all_miners_failed',
    decisions: [{ decision: 'complete_run', reason, level: 'ERROR' }],
    next: null,
    failure: { category: mostFrequent(failures), message: reason },
  };
}

/** The category of most failures; of several the first by name. */
function mostFrequent(failures: RunView['failures']): ErrorCategory {
  const [first] = Object.entries(failures).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return (first?.[0] as ErrorCategory | undefined) ?? 'unknown';
}

const total = (miners: MinerCounts): number => Object.values(miners).reduce((sum, count) => sum + count, 0);
const counted = (miners: number): string => (miners === 1 ? '1 miner' : `${miners} miners`);

/** The span event of a decision. */
export const toDecisionEvent = ({ decision, reason, level }: DecisionMade): StepEvent => ({
  name: EVENTS.decision,
  attributes: {
    'weather.orchestration.decision': decision,
    'weather.orchestration.reason': reason,
    'weather.orchestration.level': level,
  },
});
