import { createPostgresExporter } from '#postgres/exporter';
import { toSink } from '#postgres/span-sink';
import { acquireAll } from '#lifecycle/resource-stack';
import type { ObservedSpan } from '#facts/observed-span';
import type { Comparison, Scale, Suite } from '../harness/suite.ts';
import { copyRows, type CopiedRows } from '../support/copied-rows.ts';
import { era5Spans, SCORED_FIELDS } from '../support/era5-spans.ts';
import { emptyRecordedTables, requireRows } from '../support/recorded-tables.ts';
import { openBenchServer, type BenchDatabase } from '../support/server.ts';
import { drainThroughSpool } from '../support/spool.ts';

const MINERS: Readonly<Record<Scale, number>> = { quick: 4, full: 128 };
const TABLE = 'weather_forecast_component_scores';

/** ERA5 spans with the scores of all fields, to committed rows: log, folds and books as well as the scores. */
export function openComponents(scale: Scale): Promise<Suite> {
  const spans = era5Spans(1, MINERS[scale]);
  return acquireAll(async ({ add, close }) => {
    const server = await openBenchServer();
    add(() => server.close());
    const database = await server.createDatabase();
    await recordAll(database, spans);
    const copied = await copyRows(database, TABLE, spans.length * SCORED_FIELDS.length);
    add(() => copied.close());
    return { comparisons: [ratesOf(database, spans, copied)], close };
  });
}

/** Writes into empty tables with a new exporter, whose caches are empty. @returns score rows a second */
async function recordAll({ pool }: BenchDatabase, spans: readonly ObservedSpan[]): Promise<number> {
  await emptyRecordedTables(pool);
  const rate = await drainThroughSpool(spans, toSink(createPostgresExporter({ pool })));
  await requireRows(pool, TABLE, spans.length * SCORED_FIELDS.length);
  return rate * SCORED_FIELDS.length;
}

function ratesOf(database: BenchDatabase, spans: readonly ObservedSpan[], copied: CopiedRows): Comparison {
  return {
    name: 'component scores to committed rows',
    unit: 'rows/s',
    sides: {
      recorded: () => recordAll(database, spans),
      'psql \\copy of the component rows': copied.measure,
    },
    targets: [
      {
        what: 'times the rate of \\copy of the component rows',
        value: ({ recorded = NaN, ['psql \\copy of the component rows']: copy = NaN }) => recorded / copy,
        atLeast: 0.6,
        unit: '×',
      },
    ],
  };
}
