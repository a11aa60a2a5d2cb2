import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COPY_MIN_ROWS } from '#postgres/sql/binary/copy';
import { createPostgresExporter } from '#postgres/exporter';
import type { ObservedSpan } from '#facts/observed-span';
import { ERA5_LEAD_HOURS, VARIABLES } from '#semconv';
import { useTestDatabase, writeBatches } from '#test/exporters/postgres/support/database';
import { componentScore, endedSpan, startOfSpan } from '#test/support/spans';
import { dumpTables, emptyTables } from '#test/support/tables';

/** Batches of this size are copied into the log, unless a row exists already. */
const MINERS = 40;

/** The score of a field, of which the newer scoring wins. */
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

const database = useTestDatabase();

async function tablesAfter(batches: readonly (readonly ObservedSpan[])[]) {
  await emptyTables(database.pool);
  await writeBatches(database.pool, batches);
  return dumpTables(database.pool);
}

/** Batches below the size of a copy. */
const inSmallBatches = () =>
  tablesAfter(Array.from({ length: spans.length / 8 }, (_, index) => spans.slice(index * 8, index * 8 + 8)));

describe('bulk load of large batches', () => {
  it('a large batch leaves the same tables as small batches, with any earlier rows and repetitions', async () => {
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

  it('a new large batch is copied and a repeated one is not', async () => {
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
