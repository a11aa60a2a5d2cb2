import type { ClientBase, Pool } from 'pg';
import { inTransaction } from '#database/transaction';
import {
  NO_TRUTH_WAIT,
  type ByStep,
  type OpenRun,
  type PipelineState,
  type StepsInProgress,
  type Validator,
} from '#facts/pipeline-state';
import type { EpochMicros } from '#facts/step-fact';
import type { StepName } from '#semconv';
import { epochMicros } from '../sql/sql-values.ts';
import { scoreTypeOf, stepNameOf } from './parse-closed-sets.ts';
import { readForecasts, readOpenRuns, readUnfinishedRuns, runKeyText, type RunKey } from './open-runs.ts';
import {
  earliest,
  readPendingAttempts,
  readTruthDue,
  retriesByStep,
  type PendingAttempts,
  type TruthDue,
} from './pending-attempts.ts';
import { countDeadLetters } from '../dead-letters/read-dead-letters.ts';

/** Clock and end of one reading. */
export interface ReadStateOptions {
  /** Reference clock for overdue retries, milliseconds since 1970. Default: the system clock. */
  readonly now?: () => number;
  /** Aborts before the next statement. */
  readonly signal?: AbortSignal;
}

/** One snapshot for all statements. JIT is off, since compiling them would take longer than running them. */
const TRANSACTION = `
  set transaction isolation level repeatable read, read only;
  set local statement_timeout = '3s';
  set local jit = off`;

/**
 * Reads the state of the pipeline in one snapshot of the recorded tables. The cost grows with the open runs, not with
 * the completed ones.
 *
 * @throws the error of the database, or the reason of the signal
 */
export function readPipelineState(
  pool: Pool,
  { now = () => Date.now(), signal }: ReadStateOptions = {},
): Promise<PipelineState> {
  const readAt = now() * 1000;
  return inTransaction(pool, async (client) => {
    await client.query(TRANSACTION);
    signal?.throwIfAborted();
    const validators = await readValidators(client);
    const stepsInProgress = await readStepsInProgress(client);
    const deadLetters = await countDeadLetters(client, {});
    const books = await readBooks(client);
    signal?.throwIfAborted();
    const unfinishedRuns = await readUnfinishedRuns(client);
    const runs = await readRuns(client, readAt);
    return { readAt, validators, stepsInProgress, deadLetters, ...books, unfinishedRuns, ...runs };
  });
}

async function readRuns(
  client: ClientBase,
  now: EpochMicros,
): Promise<Pick<PipelineState, 'openRuns' | 'retries'>> {
  const runs = await readOpenRuns(client);
  if (runs.length === 0) return { openRuns: [], retries: {} };
  const forecasts = await readForecasts(client, runs);
  const pending = await readPendingAttempts(client, runs, now);
  const truth = waitsByRun(pending, await readTruthDue(client, pending));
  const openRuns = runs.map((run) => ({
    ...run,
    forecasts: forecasts.get(runKeyText(run)) ?? [],
    truthWaits: truth.get(runKeyText(run)) ?? NO_TRUTH_WAIT,
  }));
  return { openRuns, retries: retriesByStep(pending) };
}

type TruthWaits = OpenRun['truthWaits'];

/** The waits of each run by score. Another step cannot wait for truth; one that says so is no lead. */
function waitsByRun(
  pending: readonly PendingAttempts[],
  due: readonly TruthDue[],
): ReadonlyMap<string, TruthWaits> {
  const waits = new Map<string, TruthWaits>();
  const add = (lead: RunKey & { readonly step: string }, leads: number, dueAt: EpochMicros | null): void => {
    const scoreType = scoreTypeOf(lead.step);
    if (scoreType === null) return;
    const ofRun = waits.get(runKeyText(lead)) ?? NO_TRUTH_WAIT;
    const before = ofRun[scoreType];
    const after = { leads: before.leads + leads, oldestDue: earliest(before.oldestDue, dueAt) };
    waits.set(runKeyText(lead), { ...ofRun, [scoreType]: after });
  };
  for (const attempts of pending) if (attempts.waitsForTruth) add(attempts, attempts.attempts, null);
  for (const lead of due) add(lead, 0, lead.dueAt);
  return waits;
}

async function readValidators(client: ClientBase): Promise<readonly Validator[]> {
  return (await client.query<Validator>('select id, hotkey from validators order by id')).rows;
}

async function readStepsInProgress(client: ClientBase): Promise<ByStep<StepsInProgress>> {
  const { rows } = await client.query<StepsInProgress & { readonly name: string }>(
    `select step_name as name, count(*)::int as steps, ${epochMicros('min(started_at)')} as "oldestStart"
     from weather_forecast_steps_running group by step_name`,
  );
  const running: Partial<Record<StepName, StepsInProgress>> = {};
  for (const { name, ...steps } of rows) {
    const step = stepNameOf(name);
    if (step !== null) running[step] = steps;
  }
  return running;
}

type BooksState = Pick<PipelineState, 'missingRecords' | 'conflictingEmitters'>;

async function readBooks(client: ClientBase): Promise<BooksState> {
  const { rows } = await client.query<BooksState>(
    `select count(conflict)::int as "conflictingEmitters",
       coalesce(sum((select sum(upper(range) - lower(range)) from unnest(missing) as range)), 0)::float8 as "missingRecords"
     from emitter_books`,
  );
  return rows[0] ?? { missingRecords: 0, conflictingEmitters: 0 };
}
