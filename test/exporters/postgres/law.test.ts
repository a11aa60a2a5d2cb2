import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ObservedSpan } from '#facts/observed-span';
import { useTestDatabase, writeBatches } from '#test/exporters/postgres/support/database';
import { disturbed, recordedRun } from '#test/support/recorded-run';
import { dumpTables, emptyTables } from '#test/support/tables';

const database = useTestDatabase();

const write = (batches: readonly (readonly ObservedSpan[])[]) => writeBatches(database.pool, batches);

async function recorded(work: () => Promise<void>): Promise<Record<string, readonly string[]>> {
  await emptyTables(database.pool);
  await database.pool.query(`insert into validators (hotkey) values ('5Validator')`);
  await work();
  return dumpTables(database.pool);
}

const scenario = recordedRun.chain((spans) =>
  fc.record({ spans: fc.constant(spans), batches: disturbed(spans) }),
);

describe('the law of the tables', () => {
  it('the tables are byte-equal for any order, duplication and batch split of a recorded run', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ spans, batches }) => {
        const clean = await recorded(() => write([spans]));
        const disturbedTables = await recorded(() => write(batches));
        expect(disturbedTables).toEqual(clean);
      }),
      { numRuns: 60, seed: 20261123 },
    );
  });

  it('the tables are the same when three writers write overlapping batches at once', async () => {
    await fc.assert(
      fc.asyncProperty(
        recordedRun.chain((spans) =>
          fc.record({
            spans: fc.constant(spans),
            writers: fc.tuple(disturbed(spans), disturbed(spans), disturbed(spans)),
          }),
        ),
        async ({ spans, writers }) => {
          const clean = await recorded(() => write([spans]));
          const together = await recorded(async () => {
            await Promise.all(writers.map((batches) => write(batches)));
          });
          expect(together).toEqual(clean);
        },
      ),
      { numRuns: 25, seed: 20261124 },
    );
  });

  it('the tables are the same when the start of a step is lost', async () => {
    await fc.assert(
      fc.asyncProperty(recordedRun, async (spans) => {
        const ended = spans.filter(({ phase }) => phase === 'ended');
        fc.pre(ended.length > 0);
        const running = new Set(ended.map(({ spanId }) => spanId));
        const both = spans.filter(({ spanId }) => running.has(spanId));
        expect(await recorded(() => write([ended]))).toEqual(await recorded(() => write([both])));
      }),
      { numRuns: 20, seed: 20261125 },
    );
  });
});
