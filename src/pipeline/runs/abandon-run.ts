import { step, type StepDefinition } from '#steps';
import { dropManifests } from '../control/frozen-manifest.ts';
import { commitIfTrue, type Queryable } from '#database/transaction';
import { moveRun } from '../control/moves.ts';
import { loadRun, type RunRow } from '../control/run-row.ts';
import { isTerminal, RUN_TRANSITIONS } from '../control/transitions.ts';
import { toDecisionEvent } from './run-decision.ts';
import type { SharedParts } from '../step/step-job.ts';

/** A run to abandon, and the reason. */
export interface RunToAbandon {
  readonly run: RunRow;
  /** Free text that is recorded; it must hold no secrets. */
  readonly reason: string;
}

const abandonDefinition: StepDefinition<[RunToAbandon, SharedParts], Promise<boolean>> = {
  name: 'orchestration',
  substep: 'decision',
  identity: ({ run }) => ({
    validatorHotkey: run.validatorHotkey,
    runId: run.runId,
    initTime: run.initTime,
    expectedLeads: run.era5Leads.length,
    ...(run.rootTraceparent !== null && { traceparent: run.rootTraceparent }),
  }),
  outcome: (isAbandoned, { reason }) =>
    isAbandoned
      ? {
          status: 'succeeded',
          attributes: { 'weather.run.status': 'stale_abandoned', 'weather.run.error_message': reason },
          events: [toDecisionEvent({ decision: 'abandon_run', reason, level: 'WARN' })],
        }
      : { status: 'succeeded', context: { superseded: true } },
};

const abandon = step(
  abandonDefinition,
  ({ run, reason }: RunToAbandon, { pool, clock }: SharedParts): Promise<boolean> =>
    commitIfTrue(pool, async (client) => {
      const failure = { category: 'process_crash', message: reason } as const;
      await endLeadsAndMiners(client, run.runId, reason);
      if (!(await moveRun(client, run, { to: 'stale_abandoned', at: clock.now(), failure }))) return false;
      await dropManifests(client, run.runId);
      return true;
    }),
);

/**
 * Abandons active runs that no worker will finish. No miner is at fault, so their forecasts get no further status. Jobs
 * that are still queued become obsolete, because the revisions of their rows change. A run that another worker moves at
 * the same moment is not abandoned.
 *
 * @param minersAt SQL `like` pattern for the base URL; a run with any miner elsewhere is not abandoned
 * @returns the ids of the abandoned runs
 */
export async function abandonRuns(
  parts: SharedParts,
  minersAt: string,
  reason: string,
): Promise<readonly number[]> {
  const { rows } = await parts.pool.query<{ runId: number }>(
    `select run_id as "runId" from pipeline.runs as run
     where status not in ('completed', 'failed', 'all_miners_failed', 'stale_abandoned') and not exists (
       select from pipeline.run_miners where run_id = run.run_id and base_url not like $1)
     order by run_id`,
    [minersAt],
  );
  const abandoned: number[] = [];
  for (const { runId } of rows) {
    const run = await loadRun(parts.pool, runId);
    if (run !== null && (await abandonIfActive(run, reason, parts))) abandoned.push(runId);
  }
  return abandoned;
}

const abandonIfActive = (run: RunRow, reason: string, parts: SharedParts): Promise<boolean> | false =>
  !isTerminal(RUN_TRANSITIONS, run.status) && abandon({ run, reason }, parts);

/** Ends leads and miners. It locks leads, then miners, then the run, in the order of the steps: no deadlock. */
async function endLeadsAndMiners(client: Queryable, runId: number, reason: string): Promise<void> {
  for (const { table, key, ends } of OPEN_ROWS) {
    await client.query(
      `update pipeline.${table}
       set state = 'failed', revision = revision + 1, next_at = null, failure_category = 'process_crash',
           failure_message = $3
       where (${key}) in (
         select ${key} from pipeline.${table} where run_id = $1 and state <> all ($2) order by ${key} for update)`,
      [runId, ends, reason],
    );
  }
}

const OPEN_ROWS = [
  { table: 'leads', key: 'run_id, miner_uid, score_type, lead_hours', ends: ['scored', 'failed'] },
  { table: 'run_miners', key: 'run_id, miner_uid', ends: ['completed', 'failed'] },
] as const;
