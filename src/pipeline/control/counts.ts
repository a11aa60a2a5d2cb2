import type { Pool } from 'pg';
import type { ErrorCategory } from '#semconv';
import type { Queryable } from '#database/transaction';
import { LEAD_STATES, MINER_STATES, type LeadState, type MinerState } from './transitions.ts';

export type MinerCounts = Readonly<Record<MinerState, number>>;
export type LeadCounts = Readonly<Record<LeadState, number>>;

/** Counts the miners of a run by state; a state without miners is 0. */
export async function countMiners(pool: Pool | Queryable, runId: number): Promise<MinerCounts> {
  const { rows } = await pool.query<{ state: MinerState; count: number }>(
    'select state, count(*)::int as count from pipeline.run_miners where run_id = $1 group by state',
    [runId],
  );
  return withZeros(MINER_STATES, rows);
}

/** Counts the leads of a run by state, day one and ERA5 together. */
export async function countLeads(pool: Pool | Queryable, runId: number): Promise<LeadCounts> {
  const { rows } = await pool.query<{ state: LeadState; count: number }>(
    'select state, count(*)::int as count from pipeline.leads where run_id = $1 group by state',
    [runId],
  );
  return withZeros(LEAD_STATES, rows);
}

/** What the waiting scores of a run wait for. */
export type TruthWaits = Readonly<Record<'gfs' | 'era5', number>>;

/**
 * Counts the scores that wait for truth, by the truth that they wait for. Day one waits for the GFS analysis, or for ERA5
 * where there is no analysis.
 */
export async function countTruthWaits(
  pool: Pool | Queryable,
  runId: number,
  { hasAnalysis }: { readonly hasAnalysis: boolean },
): Promise<TruthWaits> {
  const { rows } = await pool.query<{ day1: number; era5: number }>(
    `select count(*) filter (where score_type = 'day1')::int as day1,
       count(*) filter (where score_type = 'era5')::int as era5
     from pipeline.leads where run_id = $1 and state = 'waiting_for_truth'`,
    [runId],
  );
  const { day1 = 0, era5 = 0 } = rows[0] ?? {};
  return hasAnalysis ? { gfs: day1, era5 } : { gfs: 0, era5: day1 + era5 };
}

/** Counts the failed miners of a run by error category. */
export async function countFailures(
  pool: Pool | Queryable,
  runId: number,
): Promise<Readonly<Partial<Record<ErrorCategory, number>>>> {
  const { rows } = await pool.query<{ category: ErrorCategory; count: number }>(
    `select failure_category as category, count(*)::int as count from pipeline.run_miners
     where run_id = $1 and state = 'failed' group by failure_category order by failure_category`,
    [runId],
  );
  return Object.fromEntries(rows.map(({ category, count }) => [category, count]));
}

function withZeros<State extends string>(
  states: readonly State[],
  rows: readonly { readonly state: State; readonly count: number }[],
): Readonly<Record<State, number>> {
  const counts = new Map(rows.map(({ state, count }) => [state, count]));
  return Object.fromEntries(states.map((state) => [state, counts.get(state) ?? 0])) as Record<State, number>;
}
