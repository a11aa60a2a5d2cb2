import type { Pool } from 'pg';
import type { ErrorCategory, ScoreType } from '#semconv';
import type { Queryable } from '#database/transaction';
import type { LeadState } from './transitions.ts';

/** The key of a lead in control state. */
export interface LeadKey {
  readonly runId: number;
  readonly minerUid: number;
  readonly scoreType: ScoreType;
  /** Hours after T0. */
  readonly leadHours: number;
}

/** One lead of one miner in control state. */
export interface LeadRow extends LeadKey {
  readonly state: LeadState;
  readonly revision: number;
  /** Attempt that comes next, from 1. */
  readonly attempt: number;
  readonly attemptTraceparent: string | null;
  /** 0 to 1; null without a score. */
  readonly score: number | null;
  readonly failureCategory: ErrorCategory | null;
  readonly failureMessage: string | null;
}

const COLUMNS = `run_id as "runId", miner_uid as "minerUid", score_type as "scoreType", lead_hours as "leadHours",
  state, revision, attempt, attempt_traceparent as "attemptTraceparent", score,
  failure_category as "failureCategory", failure_message as "failureMessage"`;

/** @returns null when there is no such lead */
export async function loadLead(pool: Pool | Queryable, key: LeadKey): Promise<LeadRow | null> {
  const { rows } = await pool.query<LeadRow>(
    `select ${COLUMNS} from pipeline.leads
     where run_id = $1 and miner_uid = $2 and score_type = $3 and lead_hours = $4`,
    [key.runId, key.minerUid, key.scoreType, key.leadHours],
  );
  return rows[0] ?? null;
}

/** All leads of a miner: day one first, then by lead. */
export async function loadLeads(pool: Pool | Queryable, runId: number, minerUid: number): Promise<LeadRow[]> {
  const { rows } = await pool.query<LeadRow>(
    `select ${COLUMNS} from pipeline.leads where run_id = $1 and miner_uid = $2 order by score_type, lead_hours`,
    [runId, minerUid],
  );
  return rows;
}

/** Inserts the leads of a verified forecast: day one is due at once, the ERA5 leads are pending until it has ended. */
export async function insertLeads(
  client: Queryable,
  { runId, minerUid }: Pick<LeadKey, 'runId' | 'minerUid'>,
  { day1Lead, era5Leads }: { readonly day1Lead: number; readonly era5Leads: readonly number[] },
): Promise<void> {
  await client.query(
    `insert into pipeline.leads (run_id, miner_uid, score_type, lead_hours, state)
     select $1::int, $2::int, 'day1', $3::int, 'due'
     union all
     select $1::int, $2::int, 'era5', lead, 'pending' from unnest($4::int[]) as lead`,
    [runId, minerUid, day1Lead, era5Leads],
  );
}
