import type { Pool } from 'pg';
import type { ObservedSpan } from '../../src/facts/observed-span.ts';
import type { ExportOptions } from '../export-report.ts';
import type { Refusal, RejectedSpan } from './batch.ts';
import { isRetryable, sqlStateOf } from './database-error.ts';
import { keepRejected, keepStripped } from './tables/dead-letters.ts';
import { inTransaction } from './transaction.ts';
import type { Committed } from './write-batch.ts';

/** What is told of a span that is buried. */
export interface BuryOptions extends ExportOptions {
  /** What it was refused with. */
  readonly error: unknown;
}

/** In its messages about data, PostgreSQL quotes the data; elsewhere names of ours. */
function messageOf(error: Error, code: string | null): string {
  return code?.startsWith('22') ? error.message.replace(/".*"/s, '"…"') : error.message;
}

/** Why the database refused a span: SQLSTATE and message, without the values of the row. */
export function refusalOf(error: unknown): Refusal {
  const reason = 'refused_by_database';
  if (!(error instanceof Error)) return { reason, detail: String(error) };
  const code = sqlStateOf(error);
  return { reason, detail: `${code ?? error.name}: ${messageOf(error, code)}` };
}

/**
 * Keeps a span that the database refuses as a dead letter, in a transaction of its own. If even the letter is refused,
 * a stripped one is kept.
 *
 * @throws what the server threw when neither can be kept
 */
export async function bury(pool: Pool, span: ObservedSpan, { error }: BuryOptions): Promise<Committed> {
  const rejected: RejectedSpan = { span, ...refusalOf(error) };
  try {
    await inTransaction(pool, (client) => keepRejected(client, [rejected]));
  } catch (letterError) {
    if (isRetryable(letterError)) throw letterError;
    await inTransaction(pool, (client) => keepStripped(client, rejected));
  }
  return { steps: [], minerStats: [], rows: {}, rejected: { [rejected.reason]: 1 } };
}
