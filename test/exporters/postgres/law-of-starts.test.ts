import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPostgresExporter } from '#postgres/exporter';
import { rebuildFolds } from '#postgres/maintenance/rebuild';
import { inTransaction } from '#database/transaction';
import type { ObservedSpan } from '#facts/observed-span';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';
import { disturbed, recordedRun } from '#test/support/recorded-run';
import { endedSpan, startOfSpan } from '#test/support/spans';
import { dumpTables, emptyTables } from '#test/support/tables';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** The start of a step whose function told everything before it began. */
const tellingStart = (span: ObservedSpan): ObservedSpan => ({
  ...startOfSpan(span),
  attributes: span.attributes,
});

async function written(
  batches: readonly (readonly ObservedSpan[])[],
): Promise<Record<string, readonly string[]>> {
  await emptyTables(database.pool);
  const exporter = createPostgresExporter({ pool: database.pool });
  for (const batch of batches) expect(await exporter.exportObserved(batch)).toEqual({ kind: 'written' });
  return dumpTables(database.pool);
}

async function rebuilt(): Promise<Record<string, readonly string[]>> {
  const everything = { validatorHotkey: null, runId: null };
  await inTransaction(database.pool, (client) => rebuildFolds(client, everything));
  return dumpTables(database.pool);
}

const tellingRun = recordedRun.map((spans) => {
  const ends = new Map(spans.filter(({ phase }) => phase === 'ended').map((span) => [span.spanId, span]));
  return spans.map((span) => (span.phase === 'started' ? tellingStart(ends.get(span.spanId) ?? span) : span));
});

describe('starts that say as much as their ends', () => {
  it('starts that say as much as their ends change nothing that the log cannot tell again once their ends are there', async () => {
    await fc.assert(
      fc.asyncProperty(tellingRun.chain(disturbed), async (batches) => {
        const before = await written(batches);
        expect(await rebuilt()).toEqual(before);
      }),
      { numRuns: 60, seed: 20261204 },
    );
  });

  it('starts that say as much as their ends count in the history of a miner in any order, when a running step says that its forecast is over', async () => {
    const lead = (run: number, score: number) =>
      endedSpan({ step: 'era5', lead: 24, run, attributes: { 'weather.score.era5': score } });
    const end = (run: number) =>
      endedSpan({
        step: 'aggregate',
        run,
        at: 100_000,
        attributes: { 'weather.forecast.status': 'completed' },
      });
    const running = [lead(1, 0.9), tellingStart(end(1))];
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
