import { withControlState } from '../control/control-state-error.ts';
import { commitIfTrue, type Queryable } from '#database/transaction';
import { enqueueEnd } from './span-end-outbox.ts';
import type { JobDelivery, SharedParts } from './step-job.ts';
import type { Superseded } from './step-result.ts';

/** The job whose step commits. */
interface SettlingJob {
  readonly parts: Pick<SharedParts, 'pool' | 'ends'>;
  readonly delivery: JobDelivery;
}

/**
 * Commits what a step came to, inside the step: its transition, the jobs that follow and its own word are one
 * transaction, so what its span says was really enqueued, and is said even if the process dies before it can be.
 *
 * `commit` returns false when the row has moved on meanwhile; then nothing is kept and the step says nothing. A throw
 * (the database is gone) leaves the step, and the queue delivers the job again.
 */
export async function commitStep<Result>(
  { parts, delivery }: SettlingJob,
  result: Result,
  commit: (client: Queryable, result: Result) => Promise<boolean>,
): Promise<Result | Superseded> {
  const commitWithEnd = async (client: Queryable): Promise<boolean> => {
    if (!(await commit(client, result))) return false;
    await enqueueEnd(client, delivery, { ends: parts.ends, result });
    return true;
  };
  const kept = await withControlState(() => commitIfTrue(parts.pool, commitWithEnd));
  return kept ? result : { kind: 'superseded' };
}
