import type { Pool } from 'pg';

/** Rows that the check names; the view has all. */
const NAMED_ROWS = 3;

/**
 * Looks for rows of ended runs and forecasts that say that something is still to come (view `inconsistent_rows`).
 *
 * @throws Error when the view cannot be read, for example because migrations are pending
 */
export async function checkConsistency(
  pool: Pick<Pool, 'query'>,
): Promise<{ readonly ok: boolean; readonly found: string }> {
  const { rows } = await pool.query<{ row: string; count: number }>(
    `select format('%s of run %s of validator %s%s: %s (%s)', table_name, run_id, validator_id,
        ', miner ' || miner_hotkey, problem, detail) as row, count(*) over ()::int as count
     from inconsistent_rows order by validator_id, run_id, miner_hotkey, problem limit $1`,
    [NAMED_ROWS],
  );
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
