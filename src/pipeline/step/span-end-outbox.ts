import { previewEnd } from '#steps';
import type { Queryable } from '#database/transaction';
import type { SpanEndCodec } from './span-end-codec.ts';
import type { JobDelivery, SharedParts } from './step-job.ts';

/** Stores the end of the running step with the job that the step belongs to, inside the transaction of the step. */
export async function enqueueEnd(
  client: Queryable,
  delivery: JobDelivery,
  { ends, result }: { readonly ends: SpanEndCodec | null; readonly result: unknown },
): Promise<void> {
  const end = encodeEnd(ends, result);
  if (end !== null) await storeEnd(client, delivery, end);
}

/**
 * Encodes the end that the running step will have when it returns the result. Null when nothing is recorded, and when
 * encoding fails: a fault of the recording must not fail the step.
 */
export function encodeEnd(ends: SpanEndCodec | null, result: unknown): string | null {
  if (ends === null) return null;
  const span = previewEnd(result);
  try {
    return span === null ? null : ends.encode(span);
  } catch {
    return null;
  }
}

/** Stores an encoded end for the next delivery of a job. */
export async function storeEnd(
  client: Queryable,
  { queueJobId, deliveries }: JobDelivery,
  encoded: string,
): Promise<void> {
  await client.query('insert into pipeline.span_ends (queue_job_id, delivery, encoded) values ($1, $2, $3)', [
    queueJobId,
    deliveries,
    encoded,
  ]);
}

/** An end that an earlier delivery committed. */
interface StoredEnd {
  /** Null: in the payload of the job, where versions before migration 0020 stored it. It goes with the job. */
  readonly id: number | null;
  readonly encoded: string;
}

/** What a replay needs. */
type OutboxParts = Pick<SharedParts, 'pool' | 'ends'>;

/** A delivery of a job, with the end that an earlier version of the program stored in its payload. */
export interface DeliveryWithEnd extends JobDelivery {
  readonly endInPayload: string | undefined;
}

/**
 * Replays the span ends that earlier deliveries of the job committed, then does the work of the job. The work is done
 * whether or not the replay succeeded, so a recorder that is down blocks no run.
 *
 * Afterwards the ends of this delivery are deleted, because their spans have ended, and those that were replayed. Ends
 * of another delivery stay: its worker may have lost the job and still be between its commit and the end of its span.
 *
 * @throws the error of the replay, after the work: the queue then delivers the job again and the ends are kept
 */
export async function replayEndsThen(
  { pool, ends }: OutboxParts,
  { queueJobId, deliveries, endInPayload }: DeliveryWithEnd,
  work: () => Promise<void>,
): Promise<void> {
  if (ends === null) return work();
  const { rows } = await pool.query<StoredEnd>(
    `select span_end_id::float8 as id, encoded from pipeline.span_ends where queue_job_id = $1 order by span_end_id`,
    [queueJobId],
  );
  const inPayload = endInPayload === undefined ? [] : [{ id: null, encoded: endInPayload }];
  const { recorded, failures } = await replay(ends, [...inPayload, ...rows]);
  const failed = failures.map(({ id }) => id).filter((id) => id !== null);
  await work();
  await pool.query(
    `delete from pipeline.span_ends where queue_job_id = $1
       and (span_end_id = any ($2::bigint[]) or delivery = $3 and span_end_id <> all ($4::bigint[]))`,
    [queueJobId, recorded, deliveries, failed],
  );
  const [failure] = failures;
  if (failure !== undefined) throw failure.error;
}

/** Ends that a relay reads at once: each is a transaction of the recorder. */
const PAGE_SIZE = 100;
/** Ends that a message names. */
const MAX_NAMED = 5;

/**
 * Message relay of the outbox: records the ends whose job will not be delivered again. A job is gone before its end when
 * another worker took it over and ended it, when somebody deleted it, and when a worker of a version that knows no
 * outbox worked on it. Two workers may relay the same end, which is then recorded once, because recording is idempotent.
 *
 * Keyset pagination, kept from round to round: ends that cannot be recorded are tried again after all others, so they hold
 * none up. A round ends with the last page, and with one of which nothing was recorded, as when the recorder is away.
 *
 * @param onProblem told once of each end that cannot be recorded
 * @returns one round, to be called again and again
 */
export function createEndRelay(
  { pool, ends }: OutboxParts,
  onProblem: (message: string) => void,
): (stopping: AbortSignal) => Promise<void> {
  const reported = new Set<number>();
  let after = 0;
  return async (stopping) => {
    if (ends === null) return;
    let isGoingOn = true;
    while (isGoingOn && !stopping.aborted) {
      const page = await readLeftEnds(pool, after);
      const { recorded, failures } = await replay(ends, page);
      if (recorded.length > 0)
        await pool.query('delete from pipeline.span_ends where span_end_id = any ($1::bigint[])', [recorded]);
      reportFailures(failures, reported, onProblem);
      after = page.length < PAGE_SIZE ? 0 : (page.at(-1)?.id ?? 0);
      isGoingOn = after !== 0 && recorded.length > 0;
    }
  };
}

async function readLeftEnds(pool: OutboxParts['pool'], after: number): Promise<readonly StoredEnd[]> {
  const { rows } = await pool.query<StoredEnd>(
    `select span_end_id::float8 as id, encoded from pipeline.span_ends as stored
     where span_end_id > $1 and not exists (
       select from pipeline.jobs as job where job.id = stored.queue_job_id and job.attempts < job.max_attempts)
     order by span_end_id limit ${PAGE_SIZE}`,
    [after],
  );
  return rows;
}

/** One message for each different error of a page, about the ends that are new among those that failed. */
function reportFailures(
  failures: readonly FailedEnd[],
  reported: Set<number>,
  onProblem: (message: string) => void,
): void {
  const idsByError = new Map<string, number[]>();
  for (const { id, error } of failures) {
    if (id === null || reported.has(id)) continue;
    reported.add(id);
    const text = String(error);
    idsByError.set(text, [...(idsByError.get(text) ?? []), id]);
  }
  for (const [text, ids] of idsByError) {
    const more = ids.length > MAX_NAMED ? ` and ${ids.length - MAX_NAMED} more` : '';
    const named = `${ids.slice(0, MAX_NAMED).join(', ')}${more}`;
    const counted = ids.length === 1 ? '1 stored span end' : `${ids.length} stored span ends`;
    onProblem(
      `${counted} of a step could not be recorded: ${text} ` +
        `(pipeline.span_ends, span_end_id ${named}). Kept and tried again, after the others; if that never succeeds, delete the row.`,
    );
  }
}

/** An end that could not be recorded. */
interface FailedEnd {
  readonly id: StoredEnd['id'];
  readonly error: unknown;
}

/** Result of a replay. */
interface Replayed {
  /** Ids of stored ends. */
  readonly recorded: readonly number[];
  readonly failures: readonly FailedEnd[];
}

async function replay(ends: SpanEndCodec, stored: readonly StoredEnd[]): Promise<Replayed> {
  const recorded: number[] = [];
  const failures: FailedEnd[] = [];
  for (const { id, encoded } of stored) {
    try {
      await ends.record(encoded);
      if (id !== null) recorded.push(id);
    } catch (error) {
      failures.push({ id, error });
    }
  }
  return { recorded, failures };
}
