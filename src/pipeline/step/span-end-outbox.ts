import { previewEnd } from '#steps';
import { storeEndInPayload } from '../queue/private-tables.ts';
import type { Queryable } from '#database/transaction';
import type { SpanEndCodec } from './span-end-codec.ts';
import type { JobDelivery } from './step-job.ts';

/**
 * Transactional outbox: stores the end of the running step's span with its job, in the step's own commit. One job holds
 * one end at most, because its steps run one after the other.
 */
export async function enqueueEnd(
  client: Queryable,
  { queueJobId }: JobDelivery,
  { ends, result }: { readonly ends: SpanEndCodec | null; readonly result: unknown },
): Promise<void> {
  const end = encodeEnd(ends, result);
  if (end === null) return;
  await storeEndInPayload(client, queueJobId, end);
}

/**
 * The encoded end that the running step will have if it returns this result. Null when nothing is recorded or the end
 * cannot be encoded: measuring never changes the measured.
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

/**
 * Replays a stored span end, then does the work of the job, which does not depend on the replay.
 *
 * @throws the error of the replay, after the work: the queue then delivers the job again
 */
export async function replayEndThen(
  ends: SpanEndCodec | null,
  end: string | undefined,
  work: () => Promise<void>,
): Promise<void> {
  if (ends === null || end === undefined) return work();
  const replayed = await ends.record(end).then(
    () => true as const,
    (error: unknown) => ({ error }),
  );
  await work();
  if (replayed !== true) throw replayed.error;
}
