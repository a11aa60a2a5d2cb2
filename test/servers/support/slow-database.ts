import type { Pool } from 'pg';

/**
 * Makes every batch of a recorder take so many seconds longer, as a disk or a lock does that is in the way of its writes.
 * Reading goes on as before, and so does what the pipeline itself writes.
 */
export async function slowWrites(pool: Pool, seconds: number): Promise<void> {
  await pool.query(`
    create schema slowness;
    create table slowness.now (seconds double precision);
    insert into slowness.now values (${seconds});
    create function slowness.wait() returns trigger language plpgsql as $$
    begin
      perform pg_sleep(seconds) from slowness.now;
      return null;
    end $$;
    create trigger slow after insert on weather_forecast_runs
      for each statement execute function slowness.wait()`);
}

/** Makes writing as fast as it was; a batch that is under way takes its time still. */
export async function mendWrites(pool: Pool): Promise<void> {
  await pool.query('update slowness.now set seconds = 0');
}
