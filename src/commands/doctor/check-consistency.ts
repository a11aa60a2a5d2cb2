import type { Pool } from 'pg';
import { countOutdated } from '#maintenance/maintenance';

const outdatedRows = (count: number): string =>
  `the rows of ${count} runs and validators have the meaning of an earlier version; a process that records computes ` +
  'them again, `barograph migrate` does so at once and names those that it cannot compute';

/** Rows that the check names; the view has all. */
const NAMED_ROWS = 3;

/**
 * Looks for rows that an earlier version computed, and for rows of ended runs and forecasts that say that something is
 * still to come (view `inconsistent_rows`).
 *
 * @throws Error when the view cannot be read, for example because migrations are pending
 */
export async function checkConsistency(
  pool: Pool,
): Promise<{ readonly ok: boolean; readonly found: string }> {
  const { rows } = await pool.query<{ row: string; count: number }>(
    `select format('%s of run %s of validator %s%s: %s (%s)', table_name, run_id, validator_id,
        ', miner ' || miner_hotkey, problem, detail) as row, count(*) over ()::int as count
     from inconsistent_rows order by validator_id, run_id, miner_hotkey, problem limit $1`,
    [NAMED_ROWS],
  );
  const outdated = await countOutdated(pool);
  if (outdated > 0) return { ok: false, found: outdatedRows(outdated) };
  const count = rows[0]?.count ?? 0;
  if (count === 0) return { ok: true, found: 'no row of an ended run says that something is still to come' };
  const named = rows.map(({ row }) => row).join('; ');
  return {
    ok: false,
    found:
      `${count} inconsistent: ${named}; \`barograph rebuild\` derives rows again from the log, ` +
      '`barograph sweep` closes steps of dead processes',
  };
}

/**
 * Looks for processes whose numbers prove nothing (view `emitter_books`): their id or their numbers were used twice, so
 * that books which look complete may hide a loss.
 *
 * @throws Error when the view cannot be read, for example because migrations are pending
 */
export async function checkEmitters(
  pool: Pick<Pool, 'query'>,
): Promise<{ readonly ok: boolean; readonly found: string }> {
  const { rows } = await pool.query<{ emitter: string; count: number }>(
    `select format('%s of validator %s: %s', instance_id, validator_id, conflict) as emitter, count(*) over ()::int as count
     from emitter_books where conflict is not null order by coalesce(heartbeat_at, closed_at) desc nulls last, instance_id
     limit $1`,
    [NAMED_ROWS],
  );
  const count = rows[0]?.count ?? 0;
  if (count === 0) return { ok: true, found: 'each numbers its records by itself' };
  const named = rows.map(({ emitter }) => emitter).join('; ');
  return {
    ok: false,
    found:
      `the books of ${count} prove nothing: ${named}; give each process a service.instance.id of its own, which no ` +
      'other and no later one has',
  };
}
