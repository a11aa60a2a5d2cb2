import type { ClientBase } from 'pg';
import type { CellType } from '#postgres/sql/binary/cells';
import { column, insertRows, replaceOnConflict } from '#postgres/sql/columns';
import { foldRows, type FoldedTable } from '../upsert-projection.ts';
import {
  emptyResponseFold,
  foldResponse,
  toResponseRow,
  type ResponseFold,
  type ResponseRow,
} from '../response-fold.ts';
import { canonicalJson } from '../canonical-json.ts';
import { effectsOf, type RunChanges } from '../run-changes.ts';
import type { RunEffect } from '../run-effect.ts';
import { readRowsOfRuns, updateRowsOfRuns } from './rows-of-runs.ts';
import { foldText } from '../lww-register.ts';
import { MINER_RUN_KEY, type MinerFact, type MinerRun } from '#postgres/log/recorded-fact';
import { responseId } from '#postgres/log/response-id';
import { json } from '#postgres/sql/sql-values';

/** A row of the table; `text` is its fold in stored form, null where that did not change. */
interface Row {
  readonly owner: MinerRun;
  readonly text: string | null;
  readonly row: ResponseRow;
}

const of = (name: string, type: CellType, value: (row: ResponseRow) => unknown) =>
  column<Row>(name, type, ({ row }) => value(row));

/**
 * `target_netcdf_url_template`, `frozen_manifest_files` and `input_hash_*` stay null: no forecast is NetCDF, the file
 * list is control state of the pipeline, and the protocol no longer has an input hash.
 */
const COLUMNS = [
  ...MINER_RUN_KEY.map(({ name, type, value }) => column<Row>(name, type, ({ owner }) => value(owner))),
  column<Row>('id', 'bigint', ({ owner }) => responseId(owner.fact.runId, owner.minerHotkey)),
  of('miner_uid', 'int', (row) => row.minerUid),
  of('response_time', 'timestamptz', (row) => row.responseTime),
  of('job_id', 'text', (row) => row.jobId),
  of('kerchunk_json_url', 'text', (row) => row.storePath),
  of('kerchunk_json_retrieved', 'jsonb', (row) => json(row.manifestHeader)),
  of('verification_hash_computed', 'text', (row) => row.hashComputed),
  of('verification_hash_claimed', 'text', (row) => row.hashClaimed),
  of('verification_passed', 'boolean', (row) => row.verificationPassed),
  of('manifest_frozen_at', 'timestamptz', (row) => row.manifestFrozenAt),
  of('status', 'text', (row) => row.status),
  of('error_message', 'text', (row) => row.errorMessage),
  of('retry_count', 'int', (row) => row.retryCount),
  of('next_retry_time', 'timestamptz', (row) => row.nextRetryTime),
  of('last_polled_time', 'timestamptz', (row) => row.lastPolledTime),
  of('inference_started_at', 'timestamptz', (row) => row.inferenceStartedAt),
  of('job_accepted_at', 'timestamptz', (row) => row.jobAcceptedAt),
  of('inference_completed_at', 'timestamptz', (row) => row.inferenceCompletedAt),
  of('day1_scoring_completed_at', 'timestamptz', (row) => row.day1ScoringCompletedAt),
  of('era5_scoring_completed_at', 'timestamptz', (row) => row.era5ScoringCompletedAt),
  of('total_pipeline_duration_seconds', 'float8', (row) => row.totalDurationSeconds),
  of('trace_id', 'text', (row) => row.traceId),
  of('updated_at', 'timestamptz', (row) => row.updatedAt),
  column<Row>('fold', 'json', ({ text }) => text),
];

const TABLE: FoldedTable<MinerFact, ResponseFold> = {
  table: 'weather_miner_responses',
  key: MINER_RUN_KEY,
  empty: emptyResponseFold,
  add: (fold, items) =>
    foldResponse(
      fold,
      items.map(({ fact }) => fact),
    ),
  toText: foldText,
};

/** The columns that the end of a run changes. */
const NAMES_OF_RUN: ReadonlySet<string> = new Set([
  'status',
  'error_message',
  'next_retry_time',
  'updated_at',
]);
const COLUMNS_OF_RUN = COLUMNS.filter(({ name }) => NAMES_OF_RUN.has(name));

/** Folds facts into `weather_miner_responses`, and closes the exchanges of runs that ended; returns the rows written. */
export async function writeResponses(
  client: ClientBase,
  facts: readonly MinerFact[],
  runs: RunChanges,
): Promise<number> {
  const changed = await foldRows(client, TABLE, facts);
  const rows = changed.map(({ item, after, text }) => {
    const run = effectsOf(runs, item.validatorId, item.fact.runId).after;
    return { owner: item, text, row: toResponseRow(after, run) };
  });
  if (rows.length > 0) {
    const key = MINER_RUN_KEY.map(({ name }) => name);
    const insert = await insertRows(TABLE.table, COLUMNS, rows, replaceOnConflict(COLUMNS, key));
    await client.query(insert.text, insert.values);
  }
  return rows.length + (await closeExchanges(client, rows, runs));
}

async function closeExchanges(
  client: ClientBase,
  written: readonly Row[],
  runs: RunChanges,
): Promise<number> {
  const stored = await readRowsOfRuns<ResponseFold>(client, TABLE.table, {
    runs: new Map([...runs].filter(([, { before, after }]) => !isSameEnd(before, after))),
    written: written.map(({ owner }) => owner),
  });
  const rows = stored.map(({ owner, fold, run }) => ({
    owner,
    text: null,
    row: toResponseRow(fold, run.after),
  }));
  await updateRowsOfRuns(client, { table: TABLE.table, columns: COLUMNS_OF_RUN }, rows);
  return rows.length;
}

const isSameEnd = (a: RunEffect, b: RunEffect): boolean => canonicalJson(a.end) === canonicalJson(b.end);
