import { describe, expect, it } from 'vitest';
import { inTransaction } from '#database/transaction';
import { rebuildFolds } from '#postgres/maintenance/rebuild';
import { queryRows, useTestDatabase, writeBatches } from '#test/exporters/postgres/support/database';
import { endedSpan, type SpanOptions } from '#test/support/spans';
import { dumpTables } from '#test/support/tables';

const database = useTestDatabase();

/** A call that states nothing of its transport, as a program sends it that knows the steps and their errors only. */
const call = (at: number, options: Partial<SpanOptions> = {}) =>
  endedSpan({ step: 'communication', at, durationMs: 100, ...options });
const failed = (type: NonNullable<SpanOptions['error']>['type']) => ({ error: { type, message: type } });

describe('miner_stats of a program that states no transport', () => {
  it('calls count by outcome and category, a polite rejection as a hosting success, and a rebuild agrees', async () => {
    await writeBatches(database.pool, [
      [
        call(0),
        call(1000, { durationMs: 200, ...failed('rejected_identity') }),
        call(2000, failed('timeout')),
        call(3000, failed('http_5xx')),
        call(4000, failed('validator_internal')),
        call(5000, { status: 'failed' }),
      ],
    ]);
    const [stats] = await queryRows(
      database.pool,
      `select hosting_successes::int as successes, hosting_failures::int as failures,
         host_reliability_ratio as ratio, avg_hosting_latency_ms as latency,
         extract(epoch from last_active - timestamptz '2026-11-23T18:00:00Z')::float8 as active
       from miner_stats`,
    );
    expect(stats).toEqual({ successes: 2, failures: 2, ratio: 0.5, latency: 150, active: 1.2 });

    const before = await dumpTables(database.pool);
    await inTransaction(database.pool, (client) =>
      rebuildFolds(client, { validatorHotkey: null, runId: null }),
    );
    expect(await dumpTables(database.pool)).toEqual(before);
  });
});
