import type { Pool } from 'pg';

/**
 * Delays every batch of a recorder by a number of seconds, as a slow disk or a lock would. Reads are unaffected, and so
 * are the pipeline's own writes.
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

/** Removes the delay; a batch under way still has it. */
export async function mendWrites(pool: Pool): Promise<void> {
  await pool.query('update slowness.now set seconds = 0');
}
