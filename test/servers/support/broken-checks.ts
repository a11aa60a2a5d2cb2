import { expect } from 'vitest';
import { explainCommand } from '#commands/explain';
import { invoke } from '#test/commands/support/invoke';
import type { BrokenRun } from './broken-run.ts';
import { withoutChance } from './broken-table.ts';
import type { BrokenWorld } from './broken-world.ts';
import { panelsShowing, type Culprits } from './showing-panels.ts';

const HOUR_MILLIS = 3_600_000;

interface PanelChoice {
  readonly world: BrokenWorld;
  readonly uid: number;
  readonly culprits: Culprits;
}

/** The panels that show the culprits now, with the run and the miner chosen. */
export function panelsOf(run: BrokenRun, { world, uid, culprits }: PanelChoice) {
  return panelsShowing({
    pool: run.database.pool,
    prometheus: run.prometheus,
    choice: {
      variables: {
        validator: '1',
        run: String(run.runId),
        miner: run.miners[uid]?.hotkey ?? '',
        jaeger: 'http://localhost:16686',
      },
      from: new Date(world.initTime.getTime() - HOUR_MILLIS),
      to: new Date(Date.now() + HOUR_MILLIS),
    },
    culprits,
  });
}

/** The lines of `barograph explain` for a miner of the run. */
export async function explained(run: BrokenRun, uid: number): Promise<readonly string[]> {
  const args = ['--run', String(run.runId), '--miner', String(uid)];
  const { stdout } = await invoke(explainCommand(), args, {
    DATABASE_URL: run.database.connectionString,
  });
  return stdout.split('\n');
}

/** The one line that is so; what changes from run to run is left out. */
export function lineThat(is: RegExp, lines: readonly string[]): string {
  const found = lines.filter((line) => is.test(line));
  expect(found, lines.join('\n')).toHaveLength(1);
  return withoutChance(found[0] ?? '');
}

/** What the tables say of the forecasts that ended with their run, and of their miners; nothing is still to come. */
export async function expectEndedWithRun(run: BrokenRun, error: string): Promise<void> {
  const { rows } = await run.database.pool.query(
    `select forecast_status, last_error_type || ' ' || last_error_fault as error, retries_remaining,
       next_scheduled_retry, excused_forecasts::int, failed_forecasts::int, consecutive_failures::int
     from weather_forecast_stats join miner_stats using (validator_id, miner_hotkey)`,
  );
  expect(rows).toEqual(
    run.miners.map(() => ({
      forecast_status: 'failed',
      error,
      retries_remaining: 0,
      next_scheduled_retry: null,
      excused_forecasts: 1,
      failed_forecasts: 0,
      consecutive_failures: 0,
    })),
  );
  for (const view of ['scheduled_retries', 'stuck_steps', 'inconsistent_rows'])
    expect((await run.database.pool.query(`select * from ${view}`)).rows, view).toEqual([]);
}
