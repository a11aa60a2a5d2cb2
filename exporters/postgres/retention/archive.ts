import type { ClientBase } from 'pg';
import type { ErrorCategory, StepName, TransportOutcome } from '#semconv';
import { column, insertRows, replaceOnConflict } from '../sql/columns.ts';
import { canonicalJson } from '../projections/canonical-json.ts';
import {
  fromDraft,
  countStep,
  touchMiner,
  toDraft,
  type CountedFact,
  type MinerDraft,
} from '../projections/miner-draft.ts';
import { emptyMinerFold } from '../projections/miner-fold.ts';
import { epochMicros } from '../sql/sql-values.ts';
import { minerKeyText, readArchivedFold } from './archived-folds.ts';

/** Rows per fetch: enough to amortize the round trips, few enough not to block the event loop. */
const PAGE = 1000;

interface LoggedStep extends Omit<CountedFact, 'state' | 'error' | 'phase'> {
  readonly validatorId: number;
  readonly minerHotkey: string;
  readonly errorType: ErrorCategory | null;
  readonly transport: TransportOutcome | null;
  readonly superseded: boolean | null;
  readonly stepName: StepName;
}

const SELECT = `select validator_id as "validatorId", miner_hotkey as "minerHotkey", miner_uid as "minerUid",
  span_id as "spanId", step_name as "stepName", attempt, error_type as "errorType",
  ${epochMicros('started_at')} as "startedAt", ${epochMicros('completed_at')} as "completedAt",
  (facts ->> 'latencyNanos')::float8 as "latencyNanos", facts -> 'state' ->> 'transport' as transport,
  (facts -> 'state' -> 'superseded')::boolean as superseded,
  facts ->> 'closing' as closing`;

function toFact({ errorType, transport, superseded, ...step }: LoggedStep): CountedFact {
  const error = errorType === null ? null : { type: errorType };
  return {
    ...step,
    phase: 'ended',
    error,
    state: { ...(transport && { transport }), ...(superseded && { superseded }) },
  };
}

/** Streams the steps of miners in a partition of the log, through a server-side cursor. */
async function* readSteps(client: ClientBase, partition: string): AsyncGenerator<readonly LoggedStep[]> {
  await client.query(
    `declare archived_steps no scroll cursor for ${SELECT} from ${partition} where miner_hotkey is not null`,
  );
  for (;;) {
    const { rows } = await client.query<LoggedStep>(`fetch ${PAGE} from archived_steps`);
    if (rows.length === 0) break;
    yield rows;
  }
  await client.query('close archived_steps');
}

interface ArchivedMiner {
  readonly validatorId: number;
  readonly minerHotkey: string;
  readonly draft: MinerDraft;
}

const COLUMNS = [
  column<ArchivedMiner>('validator_id', 'int', ({ validatorId }) => validatorId),
  column<ArchivedMiner>('miner_hotkey', 'text', ({ minerHotkey }) => minerHotkey),
  column<ArchivedMiner>('fold', 'json', ({ draft }) => canonicalJson(fromDraft(draft))),
];

async function addSteps(
  client: ClientBase,
  steps: readonly LoggedStep[],
  folds: Map<string, ArchivedMiner>,
): Promise<void> {
  const unread = steps.filter((step) => !folds.has(minerKeyText(step)));
  const archived = await readArchivedFold(client, unread);
  for (const step of steps) {
    const { validatorId, minerHotkey } = step;
    const key = minerKeyText(step);
    const draft = folds.get(key)?.draft ?? toDraft(archived.get(key) ?? emptyMinerFold);
    const fact = toFact(step);
    touchMiner(draft, fact);
    countStep(draft, fact);
    folds.set(key, { validatorId, minerHotkey, draft });
  }
}

/**
 * Compaction before a drop: folds the steps of a partition into `archived_miner_stats`, and records in `archived_runs`
 * the runs whose log is no longer complete. Belongs to the transaction that drops the partition; the caller locks the
 * partition against writers.
 */
export async function archiveSteps(client: ClientBase, partition: string): Promise<void> {
  const folds = new Map<string, ArchivedMiner>();
  for await (const steps of readSteps(client, partition)) await addSteps(client, steps, folds);
  const insert = await insertRows(
    'archived_miner_stats',
    COLUMNS,
    [...folds.values()],
    replaceOnConflict(COLUMNS, ['validator_id', 'miner_hotkey']),
  );
  if (folds.size > 0) await client.query(insert.text, insert.values);
  await client.query(
    `insert into archived_runs (validator_id, run_id) select distinct validator_id, run_id from ${partition}
     on conflict do nothing`,
  );
}
