import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rebuildFolds } from '#postgres/maintenance/rebuild';
import { countOutdated, recomputeOutdated, type RecomputeFailure } from '#postgres/maintenance/recompute';
import { inTransaction } from '#database/transaction';
import type { ObservedSpan } from '#facts/observed-span';
import { useTestDatabase, writeBatches } from '#test/exporters/postgres/support/database';
import { disturbed, recordedRun } from '#test/support/recorded-run';
import { RECORDED_RUNS } from '#test/support/recorded-runs';
import { endedSpan } from '#test/support/spans';
import { dumpTables, emptyTables } from '#test/support/tables';

const database = useTestDatabase();

/** Writes the batches, then changes every row as an earlier version would have had it, and marks it. */
async function writtenByEarlierVersion(batches: readonly (readonly ObservedSpan[])[]) {
  await emptyTables(database.pool);
  await writeBatches(database.pool, batches);
  const before = await dumpTables(database.pool);
  for (const statement of [
    `update weather_forecast_stats set last_error_fault = null, miner_rank = 7, fold = '{"newest":{},"oldest":{}}'`,
    `update weather_miner_responses set error_message = 'earlier', fold = '{"newest":{},"oldest":{}}'`,
    `update weather_forecast_runs set error_message = 'earlier'`,
    `update miner_stats set failed_forecasts = 7, excused_forecasts = 7, miner_rank = 7,
       fold = (fold::jsonb || '{"failed": 7, "excused": 7}' #- '{history,newest}')::json`,
    `insert into outdated_projections select validator_id, id from weather_forecast_runs
       union all select distinct validator_id, null::bigint from miner_stats`,
  ])
    await database.pool.query(statement);
  return before;
}

describe('recomputeOutdated', () => {
  it('rows of an earlier version become byte-equal to those of this one, in any order and batch split', async () => {
    await fc.assert(
      fc.asyncProperty(recordedRun.chain(disturbed), async (batches) => {
        const before = await writtenByEarlierVersion(batches);
        await recomputeOutdated(database.pool);
        expect(await dumpTables(database.pool)).toEqual(before);
        expect(await countOutdated(database.pool)).toBe(0);
      }),
      { numRuns: 30, seed: 20261130 },
    );
  });

  it('a recomputation that is stopped keeps the marks of the rest, and the next one goes on from there', async () => {
    const before = await writtenByEarlierVersion([RECORDED_RUNS]);
    const marks = await countOutdated(database.pool);
    const stopping = new AbortController();
    const left: number[] = [];
    const onProgress = (progress: { readonly left: number }): void => {
      left.push(progress.left);
      stopping.abort();
    };
    expect(await recomputeOutdated(database.pool, { onProgress, signal: stopping.signal })).toBe(1);
    expect(left).toEqual([marks - 1]);
    expect(await countOutdated(database.pool)).toBe(marks - 1);
    expect(await recomputeOutdated(database.pool)).toBe(marks - 1);
    expect(await dumpTables(database.pool)).toEqual(before);
  });

  it('processes that recompute at the same time give the rows of one', async () => {
    const before = await writtenByEarlierVersion([RECORDED_RUNS]);
    await Promise.all([1, 2, 3].map(() => recomputeOutdated(database.pool)));
    expect(await dumpTables(database.pool)).toEqual(before);
  });

  it('the miners of a validator are computed some at a time, and all of them are', async () => {
    const spans = Array.from({ length: 70 }, (_, uid) =>
      endedSpan({
        step: 'aggregate',
        run: 1,
        miner: { uid, hotkey: `5Miner${uid}` },
        attributes: { 'weather.forecast.status': uid % 3 === 0 ? 'failed' : 'completed' },
      }),
    );
    const before = await writtenByEarlierVersion([spans]);
    await recomputeOutdated(database.pool);
    expect(await dumpTables(database.pool)).toEqual(before);
  });

  it('spans that are written between two runs are counted once', async () => {
    const added = endedSpan({
      step: 'aggregate',
      run: 1,
      miner: { uid: 7, hotkey: '5Late' },
      attributes: { 'weather.forecast.status': 'failed' },
    });
    await emptyTables(database.pool);
    await writeBatches(database.pool, [[...RECORDED_RUNS, added]]);
    const expected = await dumpTables(database.pool);
    await writtenByEarlierVersion([RECORDED_RUNS]);
    const stopping = new AbortController();
    await recomputeOutdated(database.pool, {
      onProgress: () => stopping.abort(),
      signal: stopping.signal,
    });
    await writeBatches(database.pool, [[added]]);
    await recomputeOutdated(database.pool);
    // The books of the emitters have the time at which each batch came.
    const { emitters } = expected;
    expect({ ...(await dumpTables(database.pool)), emitters }).toEqual(expected);
  });

  it('a run that cannot be read holds up no other, is named, and follows with its miners once it can be', async () => {
    const before = await writtenByEarlierVersion([RECORDED_RUNS]);
    const marks = await countOutdated(database.pool);
    const substep = (from: string, to: string) =>
      database.pool.query(
        'update weather_forecast_steps_finished set substep = $2 where run_id = 2 and substep = $1',
        [from, to],
      );
    await substep('gfs_download', 'of_a_newer_version');
    const failures: RecomputeFailure[] = [];
    const onFailure = (failure: RecomputeFailure): void => void failures.push(failure);
    expect(await recomputeOutdated(database.pool, { onFailure })).toBe(marks - 1);
    expect(failures).toEqual([
      expect.objectContaining({ runId: 2, error: expect.any(RangeError) as RangeError }),
    ]);
    expect((await database.pool.query('select run_id::int from outdated_projections')).rows).toEqual([
      { run_id: 2 },
    ]);
    await substep('of_a_newer_version', 'gfs_download');
    // The rows of its miners were computed without it.
    expect(await recomputeOutdated(database.pool, { onFailure })).toBe(2);
    expect(failures).toHaveLength(1);
    expect(await dumpTables(database.pool)).toEqual(before);
  });

  it('a rebuild by hand removes the marks of what it has computed', async () => {
    await writtenByEarlierVersion([RECORDED_RUNS]);
    await inTransaction(database.pool, (client) =>
      rebuildFolds(client, { validatorHotkey: null, runId: null }),
    );
    expect(await countOutdated(database.pool)).toBe(0);
  });
});
