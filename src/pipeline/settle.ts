import type { Pool } from 'pg';
import { withControlState } from './control/control-state-error.ts';
import { inTransaction, type Queryable } from './control/in-transaction.ts';
import type { Superseded } from './step-result.ts';

/**
 * Commits what a step came to, inside the step: its transition and the jobs that follow are one transaction, so what
 * its span says was really enqueued.
 *
 * `commit` returns false when the row has moved on meanwhile; then nothing is kept and the step says nothing. A throw
 * (the database is gone) leaves the step, and the queue delivers the job again.
 */
export async function settle<Result>(
  pool: Pool,
  result: Result,
  commit: (client: Queryable, result: Result) => Promise<boolean>,
): Promise<Result | Superseded> {
  const kept = await withControlState(() => inTransaction(pool, (client) => commit(client, result)));
  return kept ? result : { kind: 'superseded' };
}
