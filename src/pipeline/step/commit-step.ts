import { withControlState } from '../control/control-state-error.ts';
import { commitIfTrue, type Queryable } from '#database/transaction';
import { enqueueEnd } from './span-end-outbox.ts';
import type { JobDelivery, SharedParts } from './step-job.ts';
import type { Superseded } from './step-result.ts';

/** The job whose step commits. */
interface CommittingJob {
  readonly parts: Pick<SharedParts, 'pool' | 'ends'>;
  readonly delivery: JobDelivery;
}

/**
 * Commits the result of a step inside the step, as a transactional outbox: the transition, the jobs that follow and the
 * span end are one transaction. So a span never names a job that was not enqueued, and a process that dies after the
 * commit loses no span end.
 *
 * @param commit makes the transition; false when the row has a newer revision, then everything is rolled back
 * @returns the result, or `superseded` after a rollback
 * @throws ControlStateError when the database cannot commit; the queue then delivers the job again
 */
export async function commitStep<Result>(
  { parts, delivery }: CommittingJob,
  result: Result,
  commit: (client: Queryable, result: Result) => Promise<boolean>,
): Promise<Result | Superseded> {
  const commitWithEnd = async (client: Queryable): Promise<boolean> => {
    if (!(await commit(client, result))) return false;
    await enqueueEnd(client, delivery, { ends: parts.ends, result });
    return true;
  };
  const isCommitted = await withControlState(() => commitIfTrue(parts.pool, commitWithEnd));
  return isCommitted ? result : { kind: 'superseded' };
}
