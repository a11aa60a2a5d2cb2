import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toObservedSpan } from '#processor/observed-span';
import type { ObservedSpan } from '#facts/observed-span';
import { queryRows, writeBatches } from '#test/exporters/postgres/support/database';
import { useFreshBench } from '#test/pipeline/support/fresh-bench';
import { goodForecast, runRequest, tinyStores } from '#test/pipeline/support/pipeline-bench';
import { stubMiners, type StubMiners } from '#test/pipeline/support/stub-miners';
import { tinyStore } from '#test/pipeline/support/tiny-world';
import { beforeEachJob } from '#test/support/private-jobs';
import { disturbed } from '#test/support/recorded-run';
import { startOfSpan } from '#test/support/spans';
import { dumpTables, emptyTables } from '#test/support/tables';

const { spans, bench } = useFreshBench();

/** How a run ends, and what its forecasts show then. */
interface Scenario {
  readonly work: () => Promise<void>;
  readonly run: string;
  readonly forecasts: Readonly<Record<string, unknown>>;
}

const twoMiners = async (): Promise<StubMiners> =>
  stubMiners([{ files: await goodForecast() }, { files: await goodForecast(2) }]);

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'GFS that never comes': {
    work: async () => {
      const stub = await twoMiners();
      const analysis = await tinyStore({ leads: [240], error: 0, phase: 1 });
      await bench.run(bench.open(stub, await tinyStores({ analysis })), stub);
    },
    run: 'failed',
    forecasts: {
      position: 'gfs_fetch failed',
      last_error_type: 'truth_not_ready',
      last_error_fault: 'upstream',
      excused_forecasts: 1,
    },
  },
  'an abandonment while leads wait for truth': {
    work: async () => {
      const stub = await twoMiners();
      const truth = await tinyStore({ leads: [240], error: 0, phase: 1 });
      const pipeline = bench.open(stub, await tinyStores({ truth }), { delayFactor: 1e-4 });
      const runId = await pipeline.createRun(runRequest(stub));
      await pipeline.start();
      await expect
        .poll(
          () => new Set(spans.of('era5').map((span) => String(span.attributes['weather.miner.uid']))).size,
        )
        .toBe(2);
      await pipeline.abandonRuns('http://203.0.113.9:%', {
        category: 'validator_internal',
        reason: 'The user ended it before its time.',
      });
      expect((await pipeline.progress(runId)).isFinished).toBe(true);
      await pipeline.stop();
    },
    run: 'stale_abandoned',
    forecasts: { last_error_type: 'validator_internal', last_error_fault: 'validator', excused_forecasts: 1 },
  },
  'miners that all fail': {
    work: async () => {
      const files = await goodForecast();
      const poll = () => ({ kind: 'failed', message: 'out of GPU memory' }) as const;
      const stub = stubMiners([
        { files, poll },
        { files, poll },
      ]);
      await bench.run(bench.open(stub, await tinyStores()), stub);
    },
    run: 'all_miners_failed',
    forecasts: {
      position: 'inference_failed failed',
      last_error_type: 'miner_inference',
      last_error_fault: 'miner',
      excused_forecasts: 0,
      failed_forecasts: 1,
    },
  },
  'an orchestration that crashes its workers': {
    work: async () => {
      const stub = await twoMiners();
      const pipeline = bench.open(stub, await tinyStores());
      const runId = await pipeline.createRun(runRequest(stub));
      // The decision that follows the fetch of GFS, as if its worker had died ten times.
      await beforeEachJob(
        bench.database.pool,
        'insert',
        `begin if new.key like 'orchestrate:%:r2' then new.attempts := 10; end if; return new; end`,
      );
      await pipeline.start();
      await pipeline.finished(runId);
      await pipeline.stop();
    },
    run: 'failed',
    forecasts: {
      position: 'gfs_fetch failed',
      last_error_type: 'process_crash',
      last_error_fault: 'validator',
      excused_forecasts: 1,
    },
  },
};

/** What a recorder would be given: the start and the end of each span. */
const observed = (): readonly ObservedSpan[] =>
  spans.of().flatMap((span: ReadableSpan) => {
    const ended = toObservedSpan(span, 'ended');
    return [startOfSpan(ended), ended];
  });

async function tablesAfter(
  batches: readonly (readonly ObservedSpan[])[],
): Promise<Record<string, readonly string[]>> {
  await emptyTables(bench.database.pool);
  await writeBatches(bench.database.pool, batches);
  return dumpTables(bench.database.pool);
}

describe.each(Object.entries(SCENARIOS))('a run that ends by %s', (_name, { work, run, forecasts }) => {
  it('the forecasts end with it, and the tables do not depend on order, repetition, split, starts or writers', async () => {
    await work();
    const { pool } = bench.database;
    const all = observed();
    const clean = await tablesAfter([all]);
    expect(clean['dead_letter_spans']).toEqual([]);
    expect(await queryRows(pool, 'select status from weather_forecast_runs')).toEqual([{ status: run }]);
    const rows = await queryRows(
      pool,
      `select forecast_status, current_forecast_stage || ' ' || current_forecast_status as position, last_error_type,
         last_error_fault, retries_remaining, next_scheduled_retry, completed_at is not null as has_ended,
         excused_forecasts::int, failed_forecasts::int
       from weather_forecast_stats join miner_stats using (validator_id, miner_hotkey)`,
    );
    for (const row of rows)
      expect(row).toMatchObject({
        forecast_status: 'failed',
        retries_remaining: 0,
        next_scheduled_retry: null,
        has_ended: true,
        ...forecasts,
      });
    expect(rows).toHaveLength(2);
    expect(await queryRows(pool, 'select * from inconsistent_rows')).toEqual([]);
    await fc.assert(
      fc.asyncProperty(disturbed(all), async (batches) => {
        expect(await tablesAfter(batches)).toEqual(clean);
      }),
      { numRuns: 6, seed: 20261201 },
    );
    expect(await tablesAfter([all.filter(({ phase }) => phase === 'ended')])).toEqual(clean);
    await emptyTables(pool);
    const thirds = [0, 1, 2].map((third) => all.filter((_, index) => index % 3 !== third));
    await Promise.all(thirds.map((part) => writeBatches(pool, [part])));
    expect(await dumpTables(pool)).toEqual(clean);
  });
});
