import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rebuildFolds } from '#postgres/maintenance/rebuild';
import { inTransaction } from '#database/transaction';
import type { ObservedSpan } from '#facts/observed-span';
import { useTestDatabase, writeBatches } from '#test/exporters/postgres/support/database';
import { disturbed, recordedRun } from '#test/support/recorded-run';
import { endedSpan, startOfSpan } from '#test/support/spans';
import { dumpTables, emptyTables } from '#test/support/tables';

const database = useTestDatabase();

/** A start with all attributes of its end. */
const startWithEndAttributes = (span: ObservedSpan): ObservedSpan => ({
  ...startOfSpan(span),
  attributes: span.attributes,
});

async function written(
  batches: readonly (readonly ObservedSpan[])[],
): Promise<Record<string, readonly string[]>> {
  await emptyTables(database.pool);
  await writeBatches(database.pool, batches);
  return dumpTables(database.pool);
}

async function rebuilt(): Promise<Record<string, readonly string[]>> {
  const everything = { validatorHotkey: null, runId: null };
  await inTransaction(database.pool, (client) => rebuildFolds(client, everything));
  return dumpTables(database.pool);
}

const runWithFullStarts = recordedRun.map((spans) => {
  const ends = new Map(spans.filter(({ phase }) => phase === 'ended').map((span) => [span.spanId, span]));
  return spans.map((span) =>
    span.phase === 'started' ? startWithEndAttributes(ends.get(span.spanId) ?? span) : span,
  );
});

describe('the law of the tables, for starts with all attributes of their ends', () => {
  it('a rebuild from the log gives the same tables once the ends are recorded', async () => {
    await fc.assert(
      fc.asyncProperty(runWithFullStarts.chain(disturbed), async (batches) => {
        const before = await written(batches);
        expect(await rebuilt()).toEqual(before);
      }),
      { numRuns: 60, seed: 20261204 },
    );
  });

  it('a forecast finished by a running step enters the miner history in any order', async () => {
    const lead = (run: number, score: number) =>
      endedSpan({ step: 'era5', lead: 24, run, attributes: { 'weather.score.era5': score } });
    const end = (run: number) =>
      endedSpan({
        step: 'aggregate',
        run,
        at: 100_000,
        attributes: { 'weather.forecast.status': 'completed' },
      });
    const running = [lead(1, 0.9), startWithEndAttributes(end(1))];
    const ended = [lead(2, 0.2), end(2)];
    const before = await written([running, ended]);
    expect(await written([ended, running])).toEqual(before);
    expect(await rebuilt()).toEqual(before);
    const { rows } = await database.pool.query(
      'select consecutive_successes, last_successful_forecast is not null as is_known from miner_stats',
    );
    expect(rows).toEqual([{ consecutive_successes: 2, is_known: true }]);
  });
});
