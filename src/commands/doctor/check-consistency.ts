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

/** How long a loss is told, days: an older one was seen, and nothing mends it. */
const TOLD_DAYS = 7;
/** A process without a heartbeat for so long is not at work any more, minutes. */
const SILENT_MINUTES = 5;

/**
 * Looks for processes whose numbers prove nothing (view `emitter_books`), because their id or their numbers were used twice,
 * and for losses of the last days: records that left a process and never came, and processes that went without a last word.
 * What it cannot look for is named: senders that do not number their spans.
 *
 * @throws Error when the view cannot be read, for example because migrations are pending
 */
export async function checkEmitters(
  pool: Pick<Pool, 'query'>,
): Promise<{ readonly ok: boolean; readonly found: string }> {
  const { rows } = await pool.query<{ emitter: string; isConflict: boolean; count: number }>(
    `select format('%s of validator %s: %s', instance_id, validator_id, coalesce(conflict, loss)) as emitter,
       conflict is not null as "isConflict", count(*) over ()::int as count
     from emitter_books
     cross join lateral (select case
         when not isempty(missing) then format('the records %s are missing', missing)
         when closed_at is null and heartbeat_at < now() - $2 * interval '1 minute'
           then format('its books are open, and it is silent since %s', date_trunc('second', heartbeat_at))
       end as loss) as told
     where conflict is not null
       or loss is not null and coalesce(heartbeat_at, last_seen) > now() - $3 * interval '1 day'
     order by conflict is null, coalesce(heartbeat_at, closed_at) desc nulls last, instance_id
     limit $1`,
    [NAMED_ROWS, SILENT_MINUTES, TOLD_DAYS],
  );
  const [first] = rows;
  if (first === undefined) return { ok: true, found: await describeWhole(pool) };
  const named = rows.map(({ emitter }) => emitter).join('; ');
  return {
    ok: false,
    found: first.isConflict
      ? `the books of ${first.count} prove nothing: ${named}; give each process a service.instance.id of its own, which ` +
        'no other and no later one has'
      : `the books of ${first.count} show a loss: ${named}; its spool may still be on the machine that it ran on ` +
        '(`barograph spools list`), and a process that records there delivers it',
  };
}

/** No loss is known; of senders that do not number their spans, none could be. */
async function describeWhole(pool: Pick<Pool, 'query'>): Promise<string> {
  const { rows } = await pool.query<{ sender: string; count: number }>(
    `select format('%s of validator %s', instance_id, validator_id) as sender, count(*) over ()::int as count
     from unnumbered_senders where last_seen > now() - $2 * interval '1 day'
     order by last_seen desc, instance_id limit $1`,
    [NAMED_ROWS, TOLD_DAYS],
  );
  const count = rows[0]?.count ?? 0;
  if (count === 0) return 'each numbers its records by itself, and none is missing';
  return (
    `none is missing of those that number their records; ${count} of the last ${TOLD_DAYS} days do not ` +
    `(${rows.map(({ sender }) => sender).join('; ')}), and what they lost before the recorder is unknown: set ` +
    'weather.emitter.sequence at the sender'
  );
}
