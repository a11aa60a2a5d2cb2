import { describe, expect, it } from 'vitest';
import type { MinerCounts } from '#pipeline/control/counts';
import { isTerminal, RUN_TRANSITIONS } from '#pipeline/control/transitions';
import { decideRun, toDecisionEvent, type RunView } from '#pipeline/runs/run-decision';
import { RUN_STATUSES } from '#semconv';

const NOBODY: MinerCounts = {
  created: 0,
  seeded: 0,
  querying: 0,
  polling: 0,
  verifying: 0,
  scoring: 0,
  completed: 0,
  failed: 0,
};
const view = (
  run: Partial<RunView['run']>,
  miners: Partial<MinerCounts> = {},
  failures: RunView['failures'] = {},
): RunView => ({
  run: {
    status: 'created',
    day1Lead: 12,
    era5Leads: [24, 48],
    failureCategory: null,
    failureMessage: null,
    ...run,
  },
  miners: { ...NOBODY, ...miners },
  failures,
});

describe('decideRun', () => {
  it('a created run seeds its miners and fetches GFS', () => {
    const plan = decideRun(view({ status: 'created' }, { created: 16 }));
    expect(plan).toMatchObject({ to: 'seeding', next: 'gfs_download' });
    expect(plan?.decisions.map(({ decision, reason }) => [decision, reason])[0]).toEqual([
      'seed_miners',
      '16 miners take part',
    ]);
  });

  it('a run without miners fails by the fault of the validator, before anything is fetched', () => {
    expect(decideRun(view({ status: 'created' }))).toMatchObject({
      to: 'failed',
      next: null,
      decisions: [{ decision: 'fail_run', level: 'ERROR' }],
      failure: { category: 'validator_internal' },
    });
  });

  it('nothing is decided while GFS is being fetched', () => {
    expect(decideRun(view({ status: 'seeding' }))).toBeNull();
  });

  it('a run whose GFS failed for good fails, as an error with its reason', () => {
    const plan = decideRun(
      view({ status: 'seeding', failureCategory: 'rate_limited_upstream', failureMessage: 'HTTP 429' }),
    );
    expect(plan).toMatchObject({
      to: 'failed',
      next: null,
      decisions: [{ decision: 'fail_run', level: 'ERROR' }],
    });
    expect(plan?.failure?.category).toBe('rate_limited_upstream');
    expect(plan?.failure?.message).toContain('rate_limited_upstream): HTTP 429');
  });

  it('a run queries its miners once GFS is ready, then awaits their results', () => {
    expect(decideRun(view({ status: 'gfs_ready' }, { seeded: 1 }))).toMatchObject({
      to: 'querying_miners',
      decisions: [{ decision: 'query_miners', reason: 'GFS is ready; 1 miner to query', level: 'INFO' }],
    });
    expect(decideRun(view({ status: 'querying_miners' }, { querying: 2 }))).toMatchObject({
      to: 'awaiting_results',
      next: null,
    });
  });

  it('a run awaits its last miner', () => {
    expect(decideRun(view({ status: 'awaiting_results' }, { completed: 3, scoring: 1 }))).toBeNull();
  });

  it('a run with one completed forecast completes, and its reason counts the failures', () => {
    const plan = decideRun(
      view({ status: 'awaiting_results' }, { completed: 2, failed: 3 }, { timeout: 2, http_5xx: 1 }),
    );
    expect(plan).toMatchObject({ to: 'completed', decisions: [{ decision: 'complete_run', level: 'INFO' }] });
    expect(plan?.decisions[0]?.reason).toBe('2 of 5 miners completed; failed: timeout 2, http_5xx 1');
    expect(plan?.failure).toBeUndefined();
  });

  it('a run without any completed forecast ends as all_miners_failed', () => {
    const plan = decideRun(view({ status: 'awaiting_results' }, { failed: 2 }, { connection: 2 }));
    expect(plan).toMatchObject({
      to: 'all_miners_failed',
      decisions: [{ level: 'ERROR' }],
      failure: { category: 'connection', message: 'all 2 miners failed: connection 2' },
    });
  });

  it('nothing is decided for a run that is over', () => {
    const over = RUN_STATUSES.filter((status) => isTerminal(RUN_TRANSITIONS, status));
    expect(over.map((status) => decideRun(view({ status })))).toEqual(over.map(() => null));
  });

  it('every decision is a transition that the table allows', () => {
    for (const status of RUN_STATUSES) {
      const plan = decideRun(view({ status, failureCategory: 'timeout' }, { completed: 1 }));
      if (plan !== null) expect(RUN_TRANSITIONS[status]).toContain(plan.to);
    }
  });

  it('a decision is recorded as an event of the span', () => {
    expect(toDecisionEvent({ decision: 'query_miners', reason: 'GFS is ready', level: 'INFO' })).toEqual({
      name: 'weather.orchestration.decision',
      attributes: {
        'weather.orchestration.decision': 'query_miners',
        'weather.orchestration.reason': 'GFS is ready',
        'weather.orchestration.level': 'INFO',
      },
    });
  });
});
