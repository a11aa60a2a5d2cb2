import type { Pool } from 'pg';
import { inTransaction } from '#database/transaction';
import type { ObservedSpan } from '#facts/observed-span';
import { DEAD_LETTER_REASONS, scrubText, type DeadLetterReason } from '#semconv';
import { toRejection } from '../write-dead-letter.ts';
import { isRetryableDatabaseError } from '../sql/database-error.ts';
import { decodeDeadLetter, sanitizeText } from '../dead-letters/dead-letter-codec.ts';
import { Partitions } from '../log/partitions.ts';
import { recordSpans, type RecordSpansOptions } from '../write-batch.ts';
import {
  changeReason,
  readDeadLetters,
  removeDeadLetter,
  type DeadLetter,
  type DeadLetterFilter,
} from '../dead-letters/read-dead-letters.ts';

const PAGE = 100;
/** Attempts at one letter; others may hold a lock, or drop a partition, at that very moment. */
const MAX_ATTEMPTS = 3;

/** What became of the letters. */
export interface Replay {
  /** Their spans are recorded now, and the letters are gone. */
  readonly recorded: number;
  /** Those that stay, by the reason for which they were refused again. */
  readonly refused: Readonly<Partial<Record<DeadLetterReason, number>>>;
  /** Those that stay because their span was not kept whole. */
  readonly stripped: number;
}

/** What became of one letter; it is gone when somebody else replayed or dropped it meanwhile. */
type Outcome = DeadLetterReason | 'recorded' | 'stripped' | 'gone';

/**
 * Hands the spans of dead letters over again. A letter is removed in the transaction that records its span, so that no
 * crash loses or doubles one.
 *
 * @throws what the server threw when it cannot write at all; the letters before that are done
 */
export async function replayDeadLetters(pool: Pool, filter: DeadLetterFilter, now: Date): Promise<Replay> {
  const options = { partitions: new Partitions(), now: now.getTime() * 1000 };
  const counts = new Map<Outcome, number>();
  let after: DeadLetter | undefined;
  do {
    const page = await readDeadLetters(pool, filter, { limit: PAGE, ...(after && { after }) });
    for (const letter of page) {
      const outcome = await replay(pool, letter, options);
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    }
    after = page.at(-1);
  } while (after !== undefined);
  const refused = DEAD_LETTER_REASONS.flatMap((reason) => {
    const count = counts.get(reason);
    return count === undefined ? [] : [[reason, count] as const];
  });
  return {
    recorded: counts.get('recorded') ?? 0,
    refused: Object.fromEntries(refused),
    stripped: counts.get('stripped') ?? 0,
  };
}

async function replay(pool: Pool, letter: DeadLetter, options: RecordSpansOptions): Promise<Outcome> {
  const span = decodeDeadLetter(letter.span);
  if (span === null) return 'stripped';
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await recordDeadLetter(pool, letter, { span, ...options });
    } catch (error) {
      options.partitions.invalidate();
      if (!isRetryableDatabaseError(error)) return keep(pool, letter, error);
      if (attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

/** A span that cannot be recorded puts its letter back itself, with the reason of today. */
function recordDeadLetter(
  pool: Pool,
  letter: DeadLetter,
  { span, ...options }: RecordSpansOptions & { readonly span: ObservedSpan },
): Promise<Outcome> {
  return inTransaction(pool, async (client) => {
    if (!(await removeDeadLetter(client, letter))) return 'gone';
    const { rejected } = await recordSpans(client, [span], options);
    return DEAD_LETTER_REASONS.find((reason) => reason in rejected) ?? 'recorded';
  });
}

async function keep(pool: Pool, letter: DeadLetter, error: unknown): Promise<Outcome> {
  const { reason, detail } = toRejection(error);
  await inTransaction(pool, (client) =>
    changeReason(client, letter, { reason, detail: scrubText(sanitizeText(detail)) }),
  );
  return reason;
}
