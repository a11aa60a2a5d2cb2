import type { Pool } from 'pg';
import { inTransaction } from '#database/transaction';
import type { ObservedSpan } from '#facts/observed-span';
import type { ExportOptions } from '../export-report.ts';
import type { Batch, Rejection, RejectedSpan } from './log/batch.ts';
import { isRetryableDatabaseError, sqlStateOf } from './sql/database-error.ts';
import { Partitions } from './log/partitions.ts';
import { insertStrippedDeadLetter } from './dead-letters/dead-letters.ts';
import { writeBatch, type Committed } from './write-batch.ts';
import { isError } from '#semconv/message-of';

/** The account of the batch, and why the span becomes a dead letter. */
export interface WriteDeadLetterOptions {
  readonly account?: ExportOptions['account'] | undefined;
  /** The error with which the database refused the span. */
  readonly error: unknown;
}

/**
 * Messages of SQLSTATE class 22 quote values of the row, which may be secrets; other classes quote only identifiers.
 */
function withoutValues(error: Error, code: string | null): string {
  return code?.startsWith('22') ? error.message.replace(/".*"/s, '"…"') : error.message;
}

/** The rejection of a span that the database refuses: SQLSTATE and message, without the values of the row. */
export function toRejection(error: unknown): Rejection {
  const reason = 'refused_by_database';
  if (!isError(error)) return { reason, detail: String(error) };
  const code = sqlStateOf(error);
  return { reason, detail: `${code ?? error.name}: ${withoutValues(error, code)}` };
}

/**
 * Dead letter queue: stores a span that the database refuses, in a transaction of its own. Falls back to a stripped
 * dead letter if the whole one is refused, too.
 *
 * @throws the error of the server when neither can be stored
 */
export async function writeDeadLetter(
  pool: Pool,
  span: ObservedSpan,
  { error, account }: WriteDeadLetterOptions,
): Promise<Committed> {
  const rejected: RejectedSpan = { span, ...toRejection(error) };
  const store = (letters: readonly RejectedSpan[]): Promise<unknown> =>
    inTransaction(pool, async (client) => {
      if (letters.length === 0) await insertStrippedDeadLetter(client, rejected);
      return writeBatch(client, { ...EMPTY_BATCH, rejected: letters }, new Partitions(), { account });
    });
  try {
    await store([rejected]);
  } catch (letterError) {
    if (isRetryableDatabaseError(letterError)) throw letterError;
    await store([]);
  }
  return { steps: [], minerStats: [], rows: {}, rejected: { [rejected.reason]: 1 } };
}

/** A batch without a fact. */
const EMPTY_BATCH: Omit<Batch, 'rejected'> = { ended: [], started: [], closings: [], sources: [] };
