import type { ClientBase } from 'pg';
import type { CellType } from '#postgres/sql/binary/cells';
import { column, insertRows, replaceOnConflict } from '#postgres/sql/columns';
import { foldRows, type FoldedTable } from '../upsert-projection.ts';
import { emptyRunFold, foldRun, toRunRow, type RunFold, type ProjectedRunRow } from '../run-fold.ts';
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

/** Folds facts into `weather_forecast_runs`. */
export async function writeRuns(client: ClientBase, facts: readonly RecordedFact[]): Promise<number> {
  const changed = await foldRows(client, TABLE, facts);
  if (changed.length === 0) return 0;
  const rows = changed.map(({ item, after, text }) => ({ item, text, row: toRunRow(after) }));
  const insert = await insertRows(
    TABLE.table,
    COLUMNS,
    rows,
    replaceOnConflict(COLUMNS, ['validator_id', 'id']),
  );
  await client.query(insert.text, insert.values);
  return rows.length;
}
