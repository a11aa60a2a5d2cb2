import type { Pool } from 'pg';
import { inTransaction } from '#database/transaction';
import type { ObservedSpan } from '#facts/observed-span';
import type { ExportOptions } from '../export-report.ts';
import type { Batch, Rejection, RejectedSpan } from './log/batch.ts';
import { isRetryableDatabaseError, sqlStateOf } from './sql/database-error.ts';
import { Partitions } from './log/partitions.ts';
import { insertStrippedDeadLetter } from './dead-letters/dead-letters.ts';
import { writeBatch, type Committed } from './write-batch.ts';

/** Options of a dead letter. */
export interface WriteDeadLetterOptions extends ExportOptions {
  /** What it was refused with. */
  readonly error: unknown;
}

/** In its messages about data, PostgreSQL quotes the data; elsewhere names of ours. */
function withoutValues(error: Error, code: string | null): string {
  return code?.startsWith('22') ? error.message.replace(/".*"/s, '"…"') : error.message;
}

/** The rejection of a span that the database refuses: SQLSTATE and message, without the values of the row. */
export function toRejection(error: unknown): Rejection {
  const reason = 'refused_by_database';
  if (!(error instanceof Error)) return { reason, detail: String(error) };
  const code = sqlStateOf(error);
  return { reason, detail: `${code ?? error.name}: ${withoutValues(error, code)}` };
}

/**
 * Keeps a span that the database refuses as a dead letter, in a transaction of its own. If even the letter is refused,
 * a stripped one is kept.
 *
 * @throws what the server threw when neither can be kept
 */
export async function writeDeadLetter(
  pool: Pool,
  span: ObservedSpan,
  { error, account }: WriteDeadLetterOptions,
): Promise<Committed> {
  const rejected: RejectedSpan = { span, ...toRejection(error) };
  const keep = (letters: readonly RejectedSpan[]): Promise<unknown> =>
    inTransaction(pool, async (client) => {
      if (letters.length === 0) await insertStrippedDeadLetter(client, rejected);
      return writeBatch(client, { ...NOTHING, rejected: letters }, new Partitions(), account);
    });
  try {
    await keep([rejected]);
  } catch (letterError) {
    if (isRetryableDatabaseError(letterError)) throw letterError;
    await keep([]);
  }
  return { steps: [], minerStats: [], rows: {}, rejected: { [rejected.reason]: 1 } };
}

/** A batch without a fact. */
const NOTHING: Omit<Batch, 'rejected'> = { ended: [], started: [], closings: [], sources: [] };
