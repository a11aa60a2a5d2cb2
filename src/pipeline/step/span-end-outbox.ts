import { previewEnd } from '#steps';
import { storeEndInPayload } from '../queue/private-tables.ts';
import type { Queryable } from '#database/transaction';
import type { SpanEndCodec } from './span-end-codec.ts';
import type { JobDelivery } from './step-job.ts';

/**
 * Stores the end of the running step in its job, inside the transaction of the step. A job holds one end at most: its
 * steps run one after the other, so the span of an earlier one has ended.
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

/**
 * Replays a stored span end, then does the work of the job. The work is done whether or not the replay succeeded, so a
 * recorder that is down blocks no run.
 *
 * @throws the error of the replay, after the work: the queue then delivers the job again and the end is kept
 */
export async function replayEndThen(
  ends: SpanEndCodec | null,
  end: string | undefined,
  work: () => Promise<void>,
): Promise<void> {
  if (ends === null || end === undefined) return work();
  const recorded = await ends.record(end).then(
    () => true as const,
    (error: unknown) => ({ error }),
  );
  await work();
  if (recorded !== true) throw recorded.error;
}
