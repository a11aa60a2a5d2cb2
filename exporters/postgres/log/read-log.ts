import type { ClientBase } from 'pg';
import type { ErrorFact, StepFact } from '#facts/step-fact';
import { toSubstepGroup, type ClosingReason, type SubstepGroup } from '#semconv';
import { readByCursor } from '../sql/read-by-cursor.ts';
import { recorded, type RecordedFact } from './recorded-fact.ts';
import { epochMicros } from '../sql/sql-values.ts';

/** Members of a fact that the column `facts` holds. */
type FoldedName = 'state' | 'scoreSums' | 'decisions' | 'adjustments' | 'truncated' | 'latencyNanos';
/** Members that follow from others, or are stored in a table of their own. */
type DerivedName = 'phase' | 'validatorHotkey' | 'substepGroup' | 'componentScores' | 'closing';
type ColumnName = Exclude<keyof StepFact, FoldedName | DerivedName>;

type LogRow = Pick<StepFact, ColumnName> & {
  readonly facts: Pick<StepFact, FoldedName> & { readonly closing?: ClosingReason };
};

/** The columns of the log by their names in a fact. */
const FIELDS: Readonly<Record<ColumnName | 'facts', string>> = {
  traceId: 'trace_id',
  spanId: 'span_id',
  parentSpanId: 'parent_span_id',
  traceSampled: 'trace_sampled',
  spanName: 'span_name',
  instanceId: 'instance_id',
  runId: 'run_id::float8',
  minerHotkey: 'miner_hotkey',
  minerUid: 'miner_uid',
  stepName: 'step_name',
  substep: 'substep',
  leadHours: 'lead_hours',
  attempt: 'attempt',
  maxAttempts: 'max_attempts',
  status: 'status',
  startedAt: epochMicros('started_at'),
  completedAt: epochMicros('completed_at'),
  retriesRemaining: 'retries_remaining',
  nextRetryTime: epochMicros('next_retry_time'),
  error: 'error_json',
  context: 'context',
  queueJobId: 'job_id::float8',
  facts: 'facts',
};

const SELECT = Object.entries(FIELDS)
  .map(([name, column]) => `${column} as "${name}"`)
  .join(', ');

/** A validator by its database id and its hotkey. */
export interface ValidatorIdentity {
  readonly validatorId: number;
  readonly validatorHotkey: string;
}

/** Selects rows of the log of one validator. */
export interface LogSelection extends ValidatorIdentity {
  /** Null: of all runs. */
  readonly runId: number | null;
  /** With a run, also the rows of these miners in other runs. */
  readonly minersOfRun: readonly string[];
}

/** Rows per fetch. */
const PORTION = 2000;

/**
 * Inverse of the writer: the fact that `translate` made of the span, without its component scores. One object literal,
 * member by member, since spreading builds an object of this size a hundred times slower.
 */
function toFact(row: LogRow, validatorHotkey: string): StepFact {
  const { facts } = row;
  return {
    phase: row.status === 'in_progress' ? 'started' : 'ended',
    validatorHotkey,
    traceId: row.traceId,
    spanId: row.spanId,
    parentSpanId: row.parentSpanId,
    traceSampled: row.traceSampled,
    spanName: row.spanName,
    instanceId: row.instanceId,
    runId: row.runId,
    minerHotkey: row.minerHotkey,
    minerUid: row.minerUid,
    stepName: row.stepName,
    substep: row.substep,
    substepGroup: substepGroupOf(row),
    leadHours: row.leadHours,
    attempt: row.attempt,
    maxAttempts: row.maxAttempts,
    status: row.status,
    startedAt: row.startedAt,
    completedAt: row.completedAt,
    latencyNanos: facts.latencyNanos,
    retriesRemaining: row.retriesRemaining,
    nextRetryTime: row.nextRetryTime,
    error: toErrorFact(row.error),
    context: row.context,
    queueJobId: row.queueJobId,
    state: facts.state,
    componentScores: [],
    scoreSums: facts.scoreSums,
    decisions: facts.decisions,
    closing: facts.closing ?? null,
    adjustments: facts.adjustments,
    truncated: facts.truncated,
  };
}

/** Rows of earlier versions have no `http_status`. */
const toErrorFact = (error: ErrorFact | null): ErrorFact | null =>
  error === null ? null : { ...error, http_status: error.http_status ?? null };

function substepGroupOf({ stepName, substep, spanId }: LogRow): SubstepGroup {
  const group = toSubstepGroup(stepName, substep);
  if (group !== null) return group;
  throw new RangeError(
    `The log row of span ${spanId} has the substep "${substep}", which is no substep of ${stepName}. ` +
      'A newer Barograph may have written it; use that one.',
  );
}

const sameForecast = (a: RecordedFact, b: RecordedFact): boolean =>
  a.fact.runId === b.fact.runId && a.fact.minerHotkey === b.fact.minerHotkey;

/** Index at which the facts of the last miner of a portion begin. */
function startOfLastMiner(facts: readonly RecordedFact[]): number {
  const last = facts.at(-1);
  let start = facts.length;
  for (let fact = facts[start - 1]; last && fact && sameForecast(fact, last); fact = facts[start - 1])
    start -= 1;
  return start;
}

/**
 * Streams rows of the log as facts, ordered by run and miner. Portions end on a boundary between miners, so that each
 * fold is written once, unless one miner has more rows in a run than a portion holds.
 *
 * The facts equal those that were written, except for `componentScores`, which are empty: the folds use `scoreSums`.
 */
export async function* readFacts(
  client: ClientBase,
  selection: LogSelection,
): AsyncGenerator<readonly RecordedFact[], void, undefined> {
  const { validatorId, validatorHotkey, runId, minersOfRun } = selection;
  const portions = readByCursor<LogRow>(client, {
    name: 'log_rows',
    text: `select ${SELECT} from weather_forecast_steps
      where validator_id = $1 and ($2::bigint is null or run_id = $2 or miner_hotkey = any ($3::text[]))
      order by validator_id, run_id, miner_hotkey`,
    values: [validatorId, runId, minersOfRun],
    size: PORTION,
  });
  let rest: readonly RecordedFact[] = [];
  for await (const rows of portions) {
    const facts = [...rest, ...rows.map((row) => recorded(validatorId, toFact(row, validatorHotkey)))];
    const cut = startOfLastMiner(facts);
    const end = cut === 0 && facts.length > PORTION ? facts.length : cut;
    if (end > 0) yield facts.slice(0, end);
    rest = facts.slice(end);
  }
  if (rest.length > 0) yield rest;
}

/** The running steps of one process, as the facts of their starts, in key order. */
export async function readRunningFacts(
  client: ClientBase,
  { validatorId, validatorHotkey }: ValidatorIdentity,
  instanceId: string,
): Promise<readonly StepFact[]> {
  const { rows } = await client.query<LogRow>(
    `select ${SELECT} from weather_forecast_steps_running
     where (validator_id, instance_id) = ($1, $2) order by trace_id collate "C", span_id collate "C"`,
    [validatorId, instanceId],
  );
  return rows.map((row) => toFact(row, validatorHotkey));
}
