import type { ClientBase } from 'pg';
import type { CellType } from '#postgres/sql/binary/cells';
import { column, insertRows, replaceOnConflict } from '#postgres/sql/columns';
import { foldInto, groupByKey, readFolds, type FoldedRow, type FoldedTable } from '../upsert-projection.ts';
import { emptyRunFold, foldRun, toRunRow, type RunFold, type ProjectedRunRow } from '../run-fold.ts';
import { toRunChanges, type RunChange, type RunChanges } from '../run-changes.ts';
import { toRunEffect } from '../run-effect.ts';
import { foldText } from '../lww-register.ts';
import type { RecordedFact } from '#postgres/log/recorded-fact';
import { json } from '#postgres/sql/sql-values';

interface Row {
  readonly item: RecordedFact;
  readonly text: string;
  readonly row: ProjectedRunRow;
}

const KEY = [
  column<RecordedFact>('validator_id', 'int', ({ validatorId }) => validatorId),
  column<RecordedFact>('id', 'bigint', ({ fact }) => fact.runId),
];

const of = (name: string, type: CellType, value: (row: ProjectedRunRow) => unknown) =>
  column<Row>(name, type, ({ row }) => value(row));

const COLUMNS = [
  ...KEY.map(({ name, type, value }) => column<Row>(name, type, ({ item }) => value(item))),
  of('run_initiation_time', 'timestamptz', (row) => row.initiationTime),
  of('target_forecast_time_utc', 'timestamptz', (row) => row.targetTime ?? row.initTime),
  of('gfs_init_time_utc', 'timestamptz', (row) => row.initTime),
  of('gfs_input_metadata', 'jsonb', (row) => json(row.inputMetadata)),
  of('status', 'text', (row) => row.status),
  of('completion_time', 'timestamptz', (row) => row.completionTime),
  of('final_scoring_attempted_time', 'timestamptz', (row) => row.finalScoringAttemptedTime),
  of('error_message', 'text', (row) => row.errorMessage),
  of('trace_id', 'text', (row) => row.traceId),
  of('updated_at', 'timestamptz', (row) => row.updatedAt),
  column<Row>('fold', 'json', ({ text }) => text),
];

const TABLE: FoldedTable<RecordedFact, RunFold> = {
  table: 'weather_forecast_runs',
  key: KEY,
  empty: emptyRunFold,
  add: (fold, items) =>
    foldRun(
      fold,
      items.map(({ fact }) => fact),
    ),
  toText: foldText,
};

/** The runs of a batch, and how many rows were written. */
export interface WrittenRuns {
  readonly written: number;
  readonly runs: RunChanges;
}

/** Folds facts into `weather_forecast_runs`. */
export async function writeRuns(client: ClientBase, facts: readonly RecordedFact[]): Promise<WrittenRuns> {
  const groups = groupByKey(TABLE, facts);
  const known = await readFolds(client, TABLE, groups);
  const changed = await foldInto(TABLE, known, groups);
  if (changed.length > 0) await upsertRuns(client, changed);
  const folded = new Map(changed.map(({ item, after }) => [item.fact, after]));
  const changes = [...groups].flatMap(([key, [item]]) =>
    item === undefined ? [] : [changeOf(item, known.get(key)?.fold ?? emptyRunFold, folded.get(item.fact))],
  );
  return { written: changed.length, runs: toRunChanges(changes) };
}

function changeOf(
  { validatorId, fact: { validatorHotkey, runId } }: RecordedFact,
  fold: RunFold,
  changed: RunFold | undefined,
): RunChange {
  const before = toRunEffect(fold);
  const after = changed === undefined ? before : toRunEffect(changed);
  return { validatorId, validatorHotkey, runId, before, after };
}

async function upsertRuns(
  client: ClientBase,
  changed: readonly FoldedRow<RecordedFact, RunFold>[],
): Promise<void> {
  const rows = changed.map(({ item, after, text }) => ({ item, text, row: toRunRow(after) }));
  const insert = await insertRows(
    TABLE.table,
    COLUMNS,
    rows,
    replaceOnConflict(COLUMNS, ['validator_id', 'id']),
  );
  await client.query(insert.text, insert.values);
}
