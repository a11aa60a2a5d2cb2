import { previewEnd } from '../steps/index.ts';
import type { Queryable } from './control/in-transaction.ts';
import type { StepEnds } from './step-ends.ts';
import type { Delivery } from './step-job.ts';

/**
 * Keeps with the job what the step under way says when it returns the result. One job has one end at most: its steps
 * follow each other, and those before this one have ended.
 */
export async function keepEnd(
  client: Queryable,
  { queueJobId }: Delivery,
  { ends, result }: { readonly ends: StepEnds | null; readonly result: unknown },
): Promise<void> {
  const end = ends === null ? null : encodeEnd(ends, result);
  if (end === null) return;
  await client.query(
    `update pipeline._private_jobs
     set payload = (payload::jsonb || jsonb_build_object('end', $2::text))::json where id = $1`,
    [queueJobId, end],
  );
}

/** What cannot be encoded is not kept: recording never stands in the way of what it records. */
function encodeEnd(ends: StepEnds, result: unknown): string | null {
  const span = previewEnd(result);
  try {
    return span === null ? null : ends.encode(span);
  } catch {
    return null;
  }
}
