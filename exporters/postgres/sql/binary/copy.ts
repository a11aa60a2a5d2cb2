import type { ClientBase } from 'pg';
import { setImmediate } from 'node:timers/promises';
import { from, type CopyStreamQuery } from 'pg-copy-streams';
import type { Column } from '../columns.ts';
import { sqlStateOf } from '../database-error.ts';
import { WireWriter } from './wire-writer.ts';
import { cellWriter } from './cells.ts';
import { isError } from '#semconv/message-of';

const SIGNATURE = 'PGCOPY\n\xff\r\n\0';
/** End-of-data marker, in the place of the column count of a further row. */
const END = -1;

/** Rows per part: while the server reads one part, the next is encoded. */
const ROWS_PER_PART = 500;
/** Initial buffer size per row, that of a step of the log. */
const USUAL_ROW_BYTES = 512;

function* encodeParts<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): Generator<Buffer> {
  const cells = columns.map(({ type, value }) => ({ value, write: cellWriter(type) }));
  for (let start = 0; start < rows.length; start += ROWS_PER_PART) {
    const writer = new WireWriter(Math.min(ROWS_PER_PART, rows.length - start) * USUAL_ROW_BYTES);
    if (start === 0) writeHeader(writer);
    for (const row of rows.slice(start, start + ROWS_PER_PART)) {
      writer.int16(cells.length);
      for (const cell of cells) cell.write(writer, cell.value(row));
    }
    if (start + ROWS_PER_PART >= rows.length) writer.int16(END);
    yield writer.bytes();
  }
}

function writeHeader(writer: WireWriter): void {
  for (const byte of Buffer.from(SIGNATURE, 'latin1')) writer.byte(byte);
  // No flags, and no header extension.
  writer.int32(0);
  writer.int32(0);
}

/**
 * Bulk load: `copy … from stdin` in the binary format, the fastest way to write rows. One row that violates a
 * constraint fails them all. Nothing else may use the connection meanwhile.
 *
 * @throws the error of the server, or that of a row that cannot be encoded; the caller then rolls back, at least to a
 *   savepoint
 */
export async function copyRows<Row>(
  client: ClientBase,
  table: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): Promise<void> {
  if (rows.length === 0) return;
  const list = columns.map(({ name }) => name).join(', ');
  const copying = client.query(from(`copy ${table} (${list}) from stdin (format binary)`));
  await new Promise<void>((resolve, reject) => {
    const state: FeedState = { hasFailed: false };
    copying.once('finish', resolve);
    copying.on('error', (error) => {
      state.hasFailed = true;
      reject(state.cause ?? error);
    });
    void feed(copying, encodeParts(columns, rows), state);
  });
}

interface FeedState {
  hasFailed: boolean;
  /** The error of the encoder, where it is what ended the copy. */
  cause?: Error;
}

/** Writes the parts until the copy fails: a failed stream must not be written to. */
async function feed(copying: CopyStreamQuery, parts: Iterable<Buffer>, state: FeedState): Promise<void> {
  try {
    for (const part of parts) {
      if (state.hasFailed) return;
      copying.write(part);
      await setImmediate();
    }
    if (!state.hasFailed) copying.end();
  } catch (error) {
    state.cause = isError(error) ? error : new Error(String(error));
    // Sends CopyFail; the reply of the server ends the copy.
    copying.destroy(state.cause);
  }
}

const UNIQUE_VIOLATION = '23505';

/**
 * Optimistic bulk load within a transaction: copies rows on the assumption that all are new, behind a savepoint.
 *
 * @returns false when a row exists already or occurs twice; then none was written
 */
export async function copyNewRows<Row>(
  client: ClientBase,
  table: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): Promise<boolean> {
  await client.query('savepoint before_copy');
  try {
    await copyRows(client, table, columns, rows);
  } catch (error) {
    if (!isError(error) || sqlStateOf(error) !== UNIQUE_VIOLATION) throw error;
    await client.query('rollback to savepoint before_copy');
    return false;
  }
  await client.query('release savepoint before_copy');
  return true;
}

/** Number of rows from which a copy is faster than an insert, which needs no savepoint. */
export const COPY_MIN_ROWS = 256;
