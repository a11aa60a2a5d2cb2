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
  updateReason,
  readDeadLetters,
  deleteDeadLetter,
  type DeadLetter,
  type DeadLetterFilter,
} from '../dead-letters/read-dead-letters.ts';

const PAGE = 100;
/** Attempts per dead letter: a concurrent lock or a dropped partition makes one fail. */
const MAX_ATTEMPTS = 3;

/** Outcome of a replay, as numbers of dead letters. */
export interface Replay {
  /** Recorded, and removed from the dead letters. */
  readonly recorded: number;
  /** Rejected again and kept, by the new reason. */
  readonly refused: Readonly<Partial<Record<DeadLetterReason, number>>>;
  /** Kept because their span was stripped. */
  readonly stripped: number;
}

/** Outcome for one dead letter; `gone` when another process replayed or dropped it meanwhile. */
type Outcome = DeadLetterReason | 'recorded' | 'stripped' | 'gone';

/**
 * Replays dead letters exactly once: each is deleted in the transaction that records its span, so that a crash neither
 * loses nor duplicates it.
 *
 * @throws the error of the server when it cannot write at all; earlier dead letters are done
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
      if (!isRetryableDatabaseError(error)) return updateLetter(pool, letter, error);
      if (attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

/** A span that is rejected again is written back as a dead letter by `recordSpans`, with the current reason. */
function recordDeadLetter(
  pool: Pool,
  letter: DeadLetter,
  { span, ...options }: RecordSpansOptions & { readonly span: ObservedSpan },
): Promise<Outcome> {
  return inTransaction(pool, async (client) => {
    if (!(await deleteDeadLetter(client, letter))) return 'gone';
    const { rejected } = await recordSpans(client, [span], options);
    return DEAD_LETTER_REASONS.find((reason) => reason in rejected) ?? 'recorded';
  });
}

async function updateLetter(pool: Pool, letter: DeadLetter, error: unknown): Promise<Outcome> {
  const { reason, detail } = toRejection(error);
  await inTransaction(pool, (client) =>
    updateReason(client, letter, { reason, detail: scrubText(sanitizeText(detail)) }),
  );
  return reason;
}
