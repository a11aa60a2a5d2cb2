import type { ClientBase, QueryResultRow } from 'pg';

/** A query whose rows come in portions. */
export interface CursorQuery {
  /** Name of the cursor; two cursors open at once need two names. */
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
  /** Rows per portion. */
  readonly size: number;
}

/**
 * Streams the rows of a query through a server-side cursor, so that memory does not grow with their number. The caller
 * holds a transaction open; its end also closes a cursor that was not read to the last row.
 */
export async function* readByCursor<Row extends QueryResultRow>(
  client: ClientBase,
  { name, text, values, size }: CursorQuery,
): AsyncGenerator<readonly Row[], void, undefined> {
  await client.query(`declare ${name} no scroll cursor for ${text}`, [...values]);
  for (;;) {
    const { rows } = await client.query<Row>(`fetch ${size} from ${name}`);
    if (rows.length > 0) yield rows;
    if (rows.length < size) break;
  }
  await client.query(`close ${name}`);
}
