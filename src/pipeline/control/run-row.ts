import type { Pool } from 'pg';
import type { Queryable } from '#database/transaction';
import type { ErrorCategory, InputRole, RunStatus } from '#semconv';

/** A run in control state. */
export interface RunRow {
  readonly runId: number;
  readonly validatorHotkey: string;
  /** T0. */
  readonly initTime: Date;
  /** Start of the freeze window, and origin of the waits that `scaleDelay` scales. */
  readonly initiatedAt: Date;
  readonly status: RunStatus;
  /** Hours after T0. */
  readonly day1Lead: number;
  readonly era5Leads: readonly number[];
  readonly revision: number;
  /** Number of the next attempt to open the GFS input, from 1. */
  readonly attempt: number;
  readonly rootTraceparent: string | null;
  readonly attemptTraceparent: string | null;
  readonly failureCategory: ErrorCategory | null;
  readonly failureMessage: string | null;
}

/** The columns of a run that its creator gives. */
export type NewRun = Pick<
  RunRow,
  'validatorHotkey' | 'initTime' | 'initiatedAt' | 'day1Lead' | 'era5Leads'
> & { readonly storeLocations?: StoreLocationsOfRun | undefined };

/** Where the stores of a run are, by role. No step reads it: it is kept for who verifies the scores. */
export type StoreLocationsOfRun = Readonly<Partial<Record<InputRole, string>>>;

/** @returns nothing for a run of an earlier version, of another database, or on stores that a program gave */
export async function loadStoreLocations(
  pool: Pool | Queryable,
  { runId, validatorHotkey }: Pick<RunRow, 'runId' | 'validatorHotkey'>,
): Promise<StoreLocationsOfRun> {
  const { rows } = await pool.query<{ locations: StoreLocationsOfRun | null }>(
    `select store_locations as locations from pipeline.runs where run_id = $1 and validator_hotkey = $2`,
    [runId, validatorHotkey],
  );
  return rows[0]?.locations ?? {};
}

const COLUMNS = `run_id as "runId", validator_hotkey as "validatorHotkey", init_time as "initTime",
  initiated_at as "initiatedAt", status, day1_lead as "day1Lead", era5_leads as "era5Leads", revision, attempt,
  root_traceparent as "rootTraceparent", attempt_traceparent as "attemptTraceparent",
  failure_category as "failureCategory", failure_message as "failureMessage"`;

/** @returns null when there is no such run */
export async function loadRun(pool: Pool | Queryable, runId: number): Promise<RunRow | null> {
  const { rows } = await pool.query<RunRow>(`select ${COLUMNS} from pipeline.runs where run_id = $1`, [
    runId,
  ]);
  return rows[0] ?? null;
}

/** The active run of a validator for a cycle; there is at most one. @returns null when there is none */
export async function loadActiveRun(
  pool: Pool | Queryable,
  { validatorHotkey, initTime }: Pick<RunRow, 'validatorHotkey' | 'initTime'>,
): Promise<RunRow | null> {
  const { rows } = await pool.query<RunRow>(
    `select ${COLUMNS} from pipeline.runs
     where validator_hotkey = $1 and init_time = $2
       and status not in ('completed', 'failed', 'all_miners_failed', 'stale_abandoned')`,
    [validatorHotkey, initTime],
  );
  return rows[0] ?? null;
}

/** Reserves the id of a run before it is inserted, so that its first span can name it. */
export async function reserveRunId(pool: Pool | Queryable): Promise<number> {
  const { rows } = await pool.query<{ runId: number }>(
    `select nextval(pg_get_serial_sequence('pipeline.runs', 'run_id'))::int as "runId"`,
  );
  const [row] = rows;
  if (row === undefined) throw new TypeError('The sequence of run ids returned no value.');
  return row.runId;
}

/** Inserts a run. @throws a unique violation when the validator has an active run for the cycle */
export async function insertRun(
  client: Queryable,
  run: NewRun & Pick<RunRow, 'runId' | 'rootTraceparent'>,
): Promise<void> {
  await client.query(
    `insert into pipeline.runs
       (run_id, validator_hotkey, init_time, initiated_at, day1_lead, era5_leads, next_at, root_traceparent,
        store_locations)
     overriding system value values ($1, $2, $3, $4, $5, $6, $4, $7, $8)`,
    [
      run.runId,
      run.validatorHotkey,
      run.initTime,
      run.initiatedAt,
      run.day1Lead,
      run.era5Leads,
      run.rootTraceparent,
      run.storeLocations === undefined ? null : JSON.stringify(run.storeLocations),
    ],
  );
}

/** The newest run of a validator for a cycle, active or over. @returns null when there is none */
export async function loadLatestRun(
  pool: Pool | Queryable,
  { validatorHotkey, initTime }: Pick<RunRow, 'validatorHotkey' | 'initTime'>,
): Promise<Pick<RunRow, 'runId'> | null> {
  const { rows } = await pool.query<Pick<RunRow, 'runId'>>(
    `select run_id as "runId" from pipeline.runs
     where validator_hotkey = $1 and init_time = $2 order by run_id desc limit 1`,
    [validatorHotkey, initTime],
  );
  return rows[0] ?? null;
}
