import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rebuildFolds, refold, type Rebuilt } from '#postgres/maintenance/rebuild';
import { lockScopes, type FoldRequest } from '#postgres/maintenance/rebuild-scope';
import type { MinerFold } from '#postgres/projections/miner-fold';
import { foldMiners, rankMiners } from '#postgres/projections/tables/miner-stats';
import { inTransaction } from '#database/transaction';
import type { ObservedSpan } from '#facts/observed-span';
import { useTestDatabase, writeBatches } from '#test/exporters/postgres/support/database';
import { disturbed, recordedRun } from '#test/support/recorded-run';
import { initTimeOf, RECORDED_RUNS } from '#test/support/recorded-runs';
import { endedSpan } from '#test/support/spans';
import { dumpTables, emptyTables } from '#test/support/tables';

const database = useTestDatabase();

const EVERYTHING: FoldRequest = { validatorHotkey: null, runId: null };
const run = (runId: number): FoldRequest => ({ validatorHotkey: null, runId });

const write = (batches: readonly (readonly ObservedSpan[])[]) => writeBatches(database.pool, batches);

async function written(
  batches: readonly (readonly ObservedSpan[])[],
): Promise<Record<string, readonly string[]>> {
  await emptyTables(database.pool);
  await write(batches);
  return dumpTables(database.pool);
}

const rebuild = (request: FoldRequest): Promise<Rebuilt> =>
  inTransaction(database.pool, (client) => rebuildFolds(client, request));

const disturbedRun = recordedRun.chain((spans) =>
  fc.record({ batches: disturbed(spans), runId: fc.constantFrom(...spans.map(runOf)) }),
);
const runOf = (span: ObservedSpan): number => Number(span.attributes['weather.run.id']);

describe('rebuildFolds', () => {
  it('a rebuild gives byte-equal tables after any order, duplication and batch split of a run', async () => {
    await fc.assert(
      fc.asyncProperty(disturbedRun, async ({ batches, runId }) => {
        const before = await written(batches);
        await rebuild(EVERYTHING);
        expect(await dumpTables(database.pool)).toEqual(before);
        await rebuild(run(runId));
        expect(await dumpTables(database.pool)).toEqual(before);
      }),
      { numRuns: 60, seed: 20261202 },
    );
  });

  it('a rebuild restores the tables from the log alone and counts the rows', async () => {
    const before = await written([RECORDED_RUNS]);
    const folds = [
      'weather_forecast_runs',
      'weather_miner_responses',
      'weather_forecast_stats',
      'validator_job_logs',
      'miner_stats',
    ];
    for (const table of folds) await database.pool.query(`delete from ${table}`);
    const rebuilt = await rebuild(EVERYTHING);
    expect(await dumpTables(database.pool)).toEqual(before);
    expect(rebuilt).toEqual({
      logRows: before['weather_forecast_steps']?.length,
      rows: Object.fromEntries(folds.map((table) => [table, before[table]?.length])),
    });
  });

  it.each([
    ['of everything', EVERYTHING],
    ['of the run', run(2)],
  ])('a rebuild %s repairs folds that were damaged by hand', async (_name, request) => {
    const before = await written([RECORDED_RUNS]);
    for (const damage of [
      `update weather_forecast_stats set era5_combined_score = 9, miner_rank = 7 where run_id = 2`,
      `delete from miner_stats where miner_hotkey = (
         select min(miner_hotkey) from weather_forecast_stats where run_id = 2)`,
      `update miner_stats set best_forecast_score = 9, fold = '{}', miner_rank = null where miner_hotkey = '5Good'`,
      `update weather_miner_responses set fold = '{"newest":{},"oldest":{}}' where run_id = 2`,
      `update weather_forecast_runs set status = 'failed', fold = 'null' where id = 2`,
      `delete from validator_job_logs where run_id = 2`,
      `insert into validator_job_logs select validator_id, trace_id, span_id, 99, run_id, job_id, created_at, level,
         decision, reason, message from validator_job_logs where run_id = 1`,
    ].slice(0, request.runId === null ? 7 : 6))
      await database.pool.query(damage);
    expect(await dumpTables(database.pool)).not.toEqual(before);
    await rebuild(request);
    expect(await dumpTables(database.pool)).toEqual(before);
  });

  it('a rebuild deletes a fold without any log row', async () => {
    const before = await written([RECORDED_RUNS]);
    await database.pool.query(
      `insert into weather_forecast_stats (validator_id, id, miner_hotkey, run_id, forecast_status, era5_scored_leads,
         validator_hotkey, created_at, updated_at, fold)
       values (1, 1, '5Invented', 1, 'completed', 0, '5Validator', now(), now(), '{"newest":{},"oldest":{}}')`,
    );
    await rebuild(run(1));
    expect(await dumpTables(database.pool)).toEqual(before);
  });

  it('a rebuild of one validator does not touch the folds of others', async () => {
    const spans = ['5One', '5Two'].map((validator) => endedSpan({ step: 'query', validator }));
    await written([spans]);
    await database.pool.query('update miner_stats set failed_forecasts = 9');
    await rebuild({ validatorHotkey: '5Two', runId: null });
    const { rows } = await database.pool.query(
      'select validator_hotkey, failed_forecasts from miner_stats order by 1',
    );
    expect(rows).toEqual([
      { validator_hotkey: '5One', failed_forecasts: 9 },
      { validator_hotkey: '5Two', failed_forecasts: 0 },
    ]);
  });

  it('a rebuild of an empty log succeeds with no rows', async () => {
    await emptyTables(database.pool);
    expect(await rebuild(EVERYTHING)).toEqual({ logRows: 0, rows: {} });
  });

  it.each([
    [run(99), 'The log has nothing of run 99. The newest that are: 5Validator run 2, 5Validator run 1.'],
    [
      { validatorHotkey: '5Nobody', runId: 1 },
      'The log has nothing of run 1 of validator 5Nobody. The newest that are: 5Validator run 2, 5Validator run 1.',
    ],
  ])('a rebuild of an unknown validator or run throws with what exists: %j', async (request, message) => {
    await written([[1, 2].map((id) => endedSpan({ step: 'query', run: id }))]);
    await expect(rebuild(request)).rejects.toMatchObject({ category: 'not_found', message });
  });
});

describe('rebuildFolds after retention', () => {
  it('folds of archived runs stay, and their forecasts still count for their miners', async () => {
    const before = await written([RECORDED_RUNS]);
    const marked = `update weather_forecast_runs set error_message = 'left alone' where id = 2`;
    await database.pool.query(marked);
    await database.pool.query('delete from miner_stats');
    await inTransaction(database.pool, async (client) => {
      for (const scope of await lockScopes(client, EVERYTHING))
        await refold(client, { ...scope, archivedRunIds: [2] });
    });
    const { weather_forecast_runs: runs, ...others } = await dumpTables(database.pool);
    const { weather_forecast_runs: runsBefore, ...othersBefore } = before;
    expect(others).toEqual(othersBefore);
    expect(runs?.filter((run) => run.includes('left alone'))).toHaveLength(1);
    expect(runs).toHaveLength(runsBefore?.length ?? 0);
  });

  it('the fold of a miner starts from its archived fold', async () => {
    const before = await written([RECORDED_RUNS]);
    const { rows } = await database.pool.query<{ minerHotkey: string; fold: MinerFold }>(
      'delete from miner_stats returning miner_hotkey as "minerHotkey", fold',
    );
    await inTransaction(database.pool, async (client) => {
      const owner = { validatorId: 1, fact: { validatorHotkey: '5Validator' } };
      const changes = rows.map((row) => ({ ...owner, ...row, kind: 'archived' as const }));
      await foldMiners(client, changes, []);
      await rankMiners(client, [1]);
    });
    expect(await dumpTables(database.pool)).toEqual(before);
  });
});

describe('rebuildFolds beside other transactions', () => {
  it('a reader sees the old rows until the rebuild is committed', async () => {
    await written([RECORDED_RUNS]);
    await database.pool.query('update miner_stats set best_forecast_score = 9');
    const best = async (): Promise<readonly unknown[]> =>
      (await database.pool.query<{ best: number }>('select best_forecast_score as best from miner_stats'))
        .rows;
    const before = await best();
    await inTransaction(database.pool, async (client) => {
      await rebuildFolds(client, EVERYTHING);
      expect(await best()).toEqual(before);
    });
    expect(await best()).not.toEqual(before);
  });

  it('a writer waits for the rebuild, also when it adds a partition, and its rows are right', async () => {
    const late = endedSpan({
      step: 'aggregate',
      run: 3,
      miner: { uid: 7, hotkey: '5Good' },
      attributes: { 'weather.forecast.status': 'failed', 'weather.run.init_time': initTimeOf(9) },
      at: -90 * 86_400_000,
    });
    await written([RECORDED_RUNS]);
    let isWritten = false;
    const writing = await inTransaction(database.pool, async (client) => {
      await lockScopes(client, EVERYTHING);
      const wrote = write([[late]]).then(() => {
        isWritten = true;
      });
      await untilWriterWaits();
      await rebuildFolds(client, EVERYTHING);
      expect(isWritten).toBe(false);
      return { wrote };
    });
    await writing.wrote;
    const after = await dumpTables(database.pool);
    await rebuild(EVERYTHING);
    expect(await dumpTables(database.pool)).toEqual(after);
    expect(await written([[...RECORDED_RUNS, late]])).toEqual(after);
  });

  it('a failed rebuild changes nothing', async () => {
    const before = await written([RECORDED_RUNS]);
    const failing = inTransaction(database.pool, async (client) => {
      await rebuildFolds(client, EVERYTHING);
      throw new Error('the machine is switched off');
    });
    await expect(failing).rejects.toThrow('switched off');
    expect(await dumpTables(database.pool)).toEqual(before);
  });
});

async function untilWriterWaits(): Promise<void> {
  await expect
    .poll(async () => {
      const { rows } = await database.pool.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return rows.length;
    })
    .toBe(1);
}
