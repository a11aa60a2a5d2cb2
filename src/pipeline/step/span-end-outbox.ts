import { previewEnd } from '#steps';
import { storeEndInPayload } from '../queue/private-tables.ts';
import type { Queryable } from '#database/transaction';
import type { SpanEndCodec } from './span-end-codec.ts';
import type { JobDelivery } from './step-job.ts';

/**
 * Keeps with the job what the step under way says when it returns the result. One job has one end at most: its steps
 * follow each other, and those before this one have ended.
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
 * What the step under way says when it returns the result. Null where nothing is recorded and where it cannot be encoded:
 * recording never stands in the way of what it records.
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
 * Tells an end that was kept, then does what the job is about, which waits for no recorder.
 *
 * @throws what kept the end from being safe, after the work: the job is then handed out again
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
