import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { reconcileFolds, type Reconciled } from '#postgres/maintenance/reconcile';
import type { FoldRequest } from '#postgres/maintenance/rebuild-scope';
import { inTransaction } from '#database/transaction';
import type { ObservedSpan } from '#facts/observed-span';
import { useTestDatabase, writeBatches } from '#test/exporters/postgres/support/database';
import { disturbed, recordedRun } from '#test/support/recorded-run';
import { RECORDED_RUNS } from '#test/support/recorded-runs';
import { endedSpan } from '#test/support/spans';
import { dumpTables, emptyTables } from '#test/support/tables';

const database = useTestDatabase();

async function write(batches: readonly (readonly ObservedSpan[])[]): Promise<void> {
  await emptyTables(database.pool);
  await writeBatches(database.pool, batches);
}

const reconcile = (request: Partial<FoldRequest> = {}): Promise<Reconciled> =>
  inTransaction(
    database.pool,
    (client) => reconcileFolds(client, { validatorHotkey: null, runId: null, ...request }),
    { isLong: true, end: 'rollback' },
  );

describe('reconcileFolds', () => {
  it('no difference is found after any order, duplication and batch split of a run', async () => {
    await fc.assert(
      fc.asyncProperty(recordedRun.chain(disturbed), async (batches) => {
        await write(batches);
        expect(await reconcile()).toMatchObject({ differenceCount: 0, differences: [] });
        expect(await reconcile({ runId: 1 }).catch(() => null)).toSatisfy(
          (found: Reconciled | null) => (found?.differenceCount ?? 0) === 0,
        );
      }),
      { numRuns: 25, seed: 20261203 },
    );
  });

  it('the compared rows are counted by table', async () => {
    await write([RECORDED_RUNS]);
    const dump = await dumpTables(database.pool);
    const { rows } = await reconcile();
    expect(Object.keys(rows)).toHaveLength(5);
    expect(rows).toEqual(Object.fromEntries(Object.keys(rows).map((table) => [table, dump[table]?.length])));
  });

  it('a difference holds its table, key and column and both values', async () => {
    await write([RECORDED_RUNS]);
    const { rows } = await database.pool.query<{ score: string; rank: string }>(
      `select era5_combined_score::text as score from weather_forecast_stats where run_id = 1 and miner_hotkey = '5Good'`,
    );
    await database.pool.query(
      `update weather_forecast_stats set era5_combined_score = 9, current_forecast_stage = null
       where run_id = 1 and miner_hotkey = '5Good'`,
    );
    const place = {
      table: 'weather_forecast_stats',
      key: { validator_id: 1, run_id: 1, miner_hotkey: '5Good' },
    };
    expect(await reconcile()).toMatchObject({
      differenceCount: 2,
      differences: [
        { ...place, column: 'current_forecast_stage', inTables: null, fromLog: 'complete' },
        { ...place, column: 'era5_combined_score', inTables: '9', fromLog: rows[0]?.score },
      ],
    });
  });

  it('a missing row and a surplus row are one difference each', async () => {
    await write([RECORDED_RUNS]);
    await database.pool.query(`delete from validator_job_logs where run_id = 1 and decision = 'create_run'`);
    await database.pool.query(
      `update miner_stats set miner_hotkey = '5Invented' where miner_hotkey = '5Lost'`,
    );
    const { differences } = await reconcile();
    expect(differences).toMatchObject([
      { table: 'validator_job_logs', column: null, inTables: null, fromLog: 'a row' },
      { key: { miner_hotkey: '5Invented' }, column: null, inTables: 'a row', fromLog: null },
      { key: { miner_hotkey: '5Lost' }, column: null, inTables: null, fromLog: 'a row' },
    ]);
  });

  it('changed folds and ranks are differences', async () => {
    await write([RECORDED_RUNS]);
    await database.pool.query(
      `update miner_stats set miner_rank = 99, fold = '{}' where miner_hotkey = '5Good'`,
    );
    const found = await reconcile({ runId: 1 });
    expect(found.differences.map(({ column, inTables }) => [column, inTables])).toEqual([
      ['fold', '{}'],
      ['miner_rank', '99'],
    ]);
  });

  it('a comparison of one run ignores the other runs', async () => {
    await write([RECORDED_RUNS]);
    await database.pool.query(`update weather_forecast_runs set status = 'failed'`);
    const found = await reconcile({ runId: 2 });
    expect(found.differences.map(({ key }) => key)).toEqual([{ validator_id: 1, id: 2 }]);
    expect(found.rows['weather_forecast_runs']).toBe(1);
  });

  it('a comparison changes no table', async () => {
    await write([RECORDED_RUNS]);
    await database.pool.query(`update miner_stats set failed_forecasts = 9`);
    const before = await dumpTables(database.pool);
    await reconcile();
    expect(await dumpTables(database.pool)).toEqual(before);
  });

  it('all differences are counted and the first thousand returned', async () => {
    const validators = ['5One', '5Two'];
    await write([
      validators.flatMap((validator) =>
        Array.from({ length: 256 }, (_, uid) =>
          endedSpan({ step: 'query', validator, miner: { uid, hotkey: `5Miner${uid}` } }),
        ),
      ),
    ]);
    await database.pool.query('update miner_stats set failed_forecasts = 9');
    await database.pool.query('update weather_miner_responses set retry_count = 9');
    const { differenceCount, differences } = await reconcile();
    expect(differenceCount).toBe(1024);
    expect(differences).toHaveLength(1000);
  });

  it('a comparison of an unknown run throws with the known runs', async () => {
    await write([RECORDED_RUNS]);
    await expect(reconcile({ runId: 99 })).rejects.toThrow('The log has nothing of run 99.');
  });
});
