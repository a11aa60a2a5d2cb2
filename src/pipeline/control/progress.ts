import type { Pool } from 'pg';
import type { RunStatus } from '#semconv';
import { JOBS_WITH_PAYLOAD } from '../queue/private-tables.ts';
import {
  countLeads,
  countMiners,
  countTruthWaits,
  type LeadCounts,
  type MinerCounts,
  type TruthWaits,
} from './counts.ts';
import { loadRun } from './run-row.ts';
import { isTerminal, RUN_TRANSITIONS } from './transitions.ts';

/** The progress of a run, from control state alone. */
export interface RunProgress {
  readonly runId: number;
  readonly status: RunStatus;
  readonly isFinished: boolean;
  readonly miners: MinerCounts;
  readonly leads: LeadCounts;
  /** The leads that wait for truth, by what they wait for. */
  readonly waits: TruthWaits;
  /** Jobs of the run that are queued or run now. */
  readonly jobs: number;
  /** When the next of them is due; null when there is none. */
  readonly nextJobAt: Date | null;
  /** Work that waits without a job that would do it. Always empty; anything else is a defect. */
  readonly withoutJob: readonly string[];
}

/** @throws RangeError when there is no such run */
export async function loadProgress(
  pool: Pool,
  runId: number,
  stores: { readonly hasAnalysis: boolean },
): Promise<RunProgress> {
  const run = await loadRun(pool, runId);
  if (run === null) throw new RangeError(`There is no run ${runId}; create it first.`);
  const [miners, leads, waits, queue] = [
    await countMiners(pool, runId),
    await countLeads(pool, runId),
    await countTruthWaits(pool, runId, stores),
    await loadQueue(pool, runId),
  ];
  const isFinished = isTerminal(RUN_TRANSITIONS, run.status);
  const withoutJob = isFinished ? [] : await findWithoutJob(pool, runId);
  return { runId, status: run.status, isFinished, miners, leads, waits, ...queue, withoutJob };
}

/** Jobs of the run that are queued or run now. */
async function loadQueue(pool: Pool, runId: number): Promise<Pick<RunProgress, 'jobs' | 'nextJobAt'>> {
  const { rows } = await pool.query<{ jobs: number; nextJobAt: Date | null }>(
    `select count(*)::int as jobs, min(run_at) as "nextJobAt" from ${JOBS_WITH_PAYLOAD} as job
     where (is_available or locked_at is not null) and (payload ->> 'runId')::int = $1`,
    [runId],
  );
  return rows[0] ?? { jobs: 0, nextJobAt: null };
}

/** The task that must be queued for each run, miner and lead that waits for work. */
const EXPECTED_TASKS = `
  select null::int as miner_uid, null::text as score_type, null::int as lead_hours,
    case when status = 'seeding' and failure_category is null then 'gfs_download' else 'orchestrate' end as task
  from pipeline.runs where run_id = $1 and status in ('created', 'seeding', 'gfs_ready', 'querying_miners')
  union all
  select null, null, null, 'finish_run'
  from pipeline.runs where run_id = $1 and status = 'awaiting_results' and not exists (
    select from pipeline.run_miners where run_id = $1 and state not in ('completed', 'failed'))
  union all
  select miner_uid, null, null, case state when 'querying' then 'query' when 'polling' then 'poll' else 'verify' end
  from pipeline.run_miners where run_id = $1 and state in ('querying', 'polling', 'verifying')
  union all
  select miner_uid, null, null, 'aggregate_miner'
  from pipeline.run_miners as miner where run_id = $1 and state = 'scoring' and not exists (
    select from pipeline.leads where run_id = $1 and miner_uid = miner.miner_uid and state not in ('scored', 'failed'))
  union all
  select miner_uid, score_type, lead_hours, 'score_lead'
  from pipeline.leads where run_id = $1 and state in ('due', 'waiting_for_truth')`;

/**
 * Finds work that waits without a queued or running job; one statement, so rows and jobs are of one snapshot. Keys are
 * compared by equality, without nulls, so that the database hashes them: a run has thousands of leads and as many jobs.
 */
async function findWithoutJob(pool: Pool, runId: number): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `with expected as (${EXPECTED_TASKS})
     select concat_ws(' ', task, 'miner ' || miner_uid, score_type, lead_hours || ' h') as name
     from expected where not exists (
       select from ${JOBS_WITH_PAYLOAD} as job
       where (job.is_available or job.locked_at is not null) and (payload ->> 'runId')::int = $1
         and job.task = expected.task
         and coalesce(payload ->> 'minerUid', '') = coalesce(miner_uid::text, '')
         and coalesce(payload ->> 'scoreType', '') = coalesce(score_type, '')
         and coalesce(payload ->> 'leadHours', '') = coalesce(lead_hours::text, ''))`,
    [runId],
  );
  return rows.map(({ name }) => name);
}
