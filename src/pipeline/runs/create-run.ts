import type { Pool } from 'pg';
import { commitIfTrue } from '#database/transaction';
import { currentTraceparent, step, type StepDefinition } from '#steps';
import { withAdvisoryLock, RUN_LOCK_CLASS } from '../control/advisory-lock.ts';
import { insertMiners } from '../control/miner-row.ts';
import { insertRun, loadActiveRun, loadLatestRun, type NewRun, reserveRunId } from '../control/run-row.ts';
import { encodeEnd, storeEnd } from '../step/span-end-outbox.ts';
import type { Miner } from '../miners/index.ts';
import { addJobs, type QueuedJob } from '../queue/jobs.ts';
import type { SharedParts } from '../step/step-job.ts';
import { toDecisionEvent } from './run-decision.ts';

/**
 * Creates a run and starts it, unless the validator has one for the cycle, active or over. Idempotent, so a schedule may
 * call it any number of times and from any number of processes.
 */
export const ensureRun = (parts: SharedParts, request: RequestedRun): Promise<CreatedRun> =>
  createRunUnless(parts, request, loadLatestRun);

/** A run to create, with its reserved id and its miners. */
export interface RunToCreate {
  readonly runId: number;
  readonly run: NewRun;
  readonly miners: readonly Miner[];
}

/** The root span of a run's trace. It ends at once; all other spans of the run are below it. */
const openRunDefinition: StepDefinition<[RunToCreate, SharedParts], Promise<void>> = {
  name: 'orchestration',
  substep: 'create_run',
  spanName: 'forecast.run',
  root: true,
  identity: ({ runId, run }) => ({
    runId,
    validatorHotkey: run.validatorHotkey,
    initTime: run.initTime,
    expectedLeads: run.era5Leads.length,
  }),
  attributes: ({ run }) => ({
    'weather.run.target_time': run.initTime.toISOString(),
    'weather.run.initiation_time': run.initiatedAt.toISOString(),
  }),
  outcome: (_result, { run, miners }) => ({
    status: 'succeeded',
    attributes: { 'weather.run.status': 'created' },
    events: [
      toDecisionEvent({
        decision: 'create_run',
        reason: `cycle ${run.initTime.toISOString()} with ${miners.length} miners`,
        level: 'INFO',
      }),
    ],
    context: { miners: miners.length, day1_lead: run.day1Lead, era5_leads: run.era5Leads },
  }),
};

/** Writes the run, its miners and its first job, and opens its trace. */
const openRun = step(
  openRunDefinition,
  async ({ runId, run, miners }: RunToCreate, { pool, clock, ends }: SharedParts): Promise<void> => {
    const rootTraceparent = currentTraceparent() ?? null;
    // Outbox: the first job replays this span end, because the root has no job of its own that would be redelivered.
    const end = encodeEnd(ends, undefined);
    const job: QueuedJob = { task: 'orchestrate', payload: { runId, revision: 0 }, runAt: clock.now() };
    await commitIfTrue(pool, async (client) => {
      await insertRun(client, { ...run, runId, rootTraceparent });
      await insertMiners(client, runId, miners);
      const [queueJobId] = await addJobs(client, [job]);
      if (end !== null && queueJobId !== undefined)
        await storeEnd(client, { queueJobId, deliveries: 0 }, end);
      return true;
    });
  },
);

/** A run to create, before an id is reserved. */
export type RequestedRun = Omit<RunToCreate, 'runId'>;

/** The run of a request: created now, or found. */
export interface CreatedRun {
  readonly runId: number;
  readonly isNew: boolean;
}

/**
 * Creates a run and starts it. A validator has at most one active run for a cycle, which is returned if it exists.
 *
 * @returns the id of the run
 */
export const createRun = async (parts: SharedParts, request: RequestedRun): Promise<number> =>
  (await createRunUnless(parts, request, loadActiveRun)).runId;

/** Creates a run unless one is found. An advisory lock serializes requests for the same validator and cycle. */
function createRunUnless(
  parts: SharedParts,
  { run, miners }: RequestedRun,
  find: (pool: Pool, run: NewRun) => Promise<{ readonly runId: number } | null>,
): Promise<CreatedRun> {
  const name = `${run.validatorHotkey} ${run.initTime.toISOString()}`;
  return withAdvisoryLock(parts.pool, [RUN_LOCK_CLASS, name], async () => {
    const found = await find(parts.pool, run);
    if (found !== null) return { runId: found.runId, isNew: false };
    const runId = await reserveRunId(parts.pool);
    await openRun({ runId, run, miners }, parts);
    return { runId, isNew: true };
  });
}
