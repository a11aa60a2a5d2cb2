import type { ErrorCategory } from '#semconv';
import { step, type StepDefinition } from '#steps';
import { dropManifests } from '../control/frozen-manifest.ts';
import { endOpenRows } from '../control/end-open-rows.ts';
import { commitIfTrue } from '#database/transaction';
import { moveRun } from '../control/moves.ts';
import { loadRun, type RunRow } from '../control/run-row.ts';
import { isTerminal, RUN_TRANSITIONS } from '../control/transitions.ts';
import { toDecisionEvent } from './run-decision.ts';
import { supersededOutcome } from '../step/common-outcomes.ts';
import type { SharedParts } from '../step/step-job.ts';

/** Why runs are abandoned. */
export interface Abandonment {
  /** `process_crash` when their process is gone, `validator_internal` when somebody ended them. */
  readonly category: Extract<ErrorCategory, 'process_crash' | 'validator_internal'>;
  /** Free text that is recorded; it must hold no secrets. */
  readonly reason: string;
}

/** A run to abandon, and why. */
export interface RunToAbandon extends Abandonment {
  readonly run: RunRow;
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
  outcome: (isAbandoned, { category, reason }) =>
    isAbandoned
      ? {
          status: 'succeeded',
          attributes: {
            'weather.run.status': 'stale_abandoned',
            'weather.run.error_message': reason,
            'weather.run.error_type': category,
          },
          events: [toDecisionEvent({ decision: 'abandon_run', reason, level: 'WARN' })],
        }
      : supersededOutcome({ kind: 'superseded' }),
};

const abandon = step(
  abandonDefinition,
  ({ run, category, reason }: RunToAbandon, { pool, clock }: SharedParts): Promise<boolean> =>
    commitIfTrue(pool, async (client) => {
      const failure = { category, message: reason };
      await endOpenRows(client, run.runId, { ...failure, failedStep: null });
      if (!(await moveRun(client, run, { to: 'stale_abandoned', at: clock.now(), failure }))) return false;
      await dropManifests(client, run.runId);
      return true;
    }),
);

/**
 * Abandons active runs that no worker will finish. Their forecasts end with them, and none counts for its miner. Jobs that
 * are still queued become obsolete, because the revisions of their rows change. A run that another worker moves at the
 * same moment is not abandoned.
 *
 * @param minersAt SQL `like` pattern for the base URL; a run with any miner elsewhere is not abandoned
 * @returns the ids of the abandoned runs
 */
export async function abandonRuns(
  parts: SharedParts,
  minersAt: string,
  why: Abandonment,
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
    if (run !== null && (await abandonIfActive(run, why, parts))) abandoned.push(runId);
  }
  return abandoned;
}

const abandonIfActive = (run: RunRow, why: Abandonment, parts: SharedParts): Promise<boolean> | false =>
  !isTerminal(RUN_TRANSITIONS, run.status) && abandon({ run, ...why }, parts);
