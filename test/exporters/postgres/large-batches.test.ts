import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COPY_MIN_ROWS } from '#postgres/sql/binary/copy';
import { createPostgresExporter } from '#postgres/exporter';
import type { ObservedSpan } from '#facts/observed-span';
import { ERA5_LEAD_HOURS, VARIABLES } from '#semconv';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';
import { componentScore, endedSpan, startOfSpan } from '#test/support/spans';
import { dumpTables, emptyTables } from '#test/support/tables';

/** Batches this large are copied into the log; one that meets what is there already is not. */
const MINERS = 40;

/** The score of a field: the newer of two scorings counts. */
const scored = (miner: number, lead: number, at: number): ObservedSpan =>
  endedSpan({
    step: 'era5',
    lead,
    at,
    miner: { uid: miner, hotkey: `5Miner${miner}` },
    traceId: `${miner}`.padStart(32, 'a'),
    spanId: `${miner}${lead}${at}`.padStart(16, 'b'),
    attributes: { 'weather.score.era5': ((miner + lead + at) % 97) / 97 },
    events: VARIABLES.slice(0, 2).map((variable) =>
      componentScore({
        score_type: 'era5',
        variable_name: variable,
        valid_time: '2026-11-24T00:00:00Z',
        rmse: miner + at,
      }),
    ),
  });

const spans = Array.from({ length: MINERS }, (_, miner) =>
  ERA5_LEAD_HOURS.flatMap((lead) => {
    const first = scored(miner, lead, lead);
    return miner % 5 === 0 ? [startOfSpan(first), first, scored(miner, lead, lead + 1000)] : [first];
  }),
).flat();

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

async function tablesAfter(batches: readonly (readonly ObservedSpan[])[]) {
  await emptyTables(database.pool);
  const exporter = createPostgresExporter({ pool: database.pool });
  for (const batch of batches) expect(await exporter.exportObserved(batch)).toEqual({ kind: 'written' });
  return dumpTables(database.pool);
}

/** Too few at once to be copied. */
const inSmallBatches = () =>
  tablesAfter(Array.from({ length: spans.length / 8 }, (_, index) => spans.slice(index * 8, index * 8 + 8)));

describe('a batch that is large enough to be copied', () => {
  it('a batch that is large enough to be copied leaves the tables that small batches leave, whatever was there and whatever comes again', async () => {
    expect(spans.length).toBeGreaterThan(COPY_MIN_ROWS);
    const expected = await inSmallBatches();
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(spans, { minLength: spans.length, maxLength: spans.length }),
        fc.subarray(spans, { maxLength: 30 }),
        fc.subarray(spans, { maxLength: 30 }),
        async (all, before, after) => {
          expect(await tablesAfter([before, all, after].filter((batch) => batch.length > 0))).toEqual(
            expected,
          );
        },
      ),
      { numRuns: 8 },
    );
  });

  it('a batch that is large enough to be copied is copied, and when it comes again it is not', async () => {
    const rows = async () => {
      const { rows: found } = await database.pool.query<{ xmin: string }>(
        'select distinct xmin::text as xmin from weather_forecast_steps_finished',
      );
      return found.map(({ xmin }) => xmin);
    };
    const once = spans.filter(({ phase }) => phase === 'ended');
    const tables = await tablesAfter([once]);
    const written = await rows();
    const exporter = createPostgresExporter({ pool: database.pool });
    await exporter.exportObserved(once);
    expect(await rows()).toEqual(written);
    expect(await dumpTables(database.pool)).toEqual(tables);
  });
});
