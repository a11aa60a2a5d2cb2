import { createPostgresExporter } from '#postgres/exporter';
import { toSink } from '#postgres/span-sink';
import { DEFAULT_OPTIONS } from '#processor/processor-options';
import { acquireAll } from '#lifecycle/resource-stack';
import type { ObservedSpan } from '#facts/observed-span';
import type { Comparison, Scale, Suite } from '../harness/suite.ts';
import { runOfMiners } from '../miner-run.ts';
import { numberedBatches } from '../support/batches.ts';
import { copyRows, type CopiedRows } from '../support/copied-rows.ts';
import { emptyRecordedTables, requireRows } from '../support/recorded-tables.ts';
import { openNaiveWriter, type NaiveWriter } from '../support/naive-writer.ts';
import { openBenchServer, type BenchDatabase } from '../support/server.ts';
import { drainThroughSpool } from '../support/spool.ts';

interface Size {
  readonly runs: number;
  readonly miners: number;
  /** The naive writer is too slow for all of them. */
  readonly naiveEvents: number;
}

const SIZES: Readonly<Record<Scale, Size>> = {
  quick: { runs: 1, miners: 16, naiveEvents: 40 },
  full: { runs: 6, miners: 256, naiveEvents: 1000 },
};
const BATCH_SIZES = [512, 2000, 8000];
const LOG = 'weather_forecast_steps_finished';

const perSecond = (count: number, millis: number): number => (count / millis) * 1000;

/** Spans to committed rows: the log, all folds, `miner_stats` and the books of the emitter; one writer, a backlog. */
export function openRows(scale: Scale): Promise<Suite> {
  const { runs, miners, naiveEvents } = SIZES[scale];
  const spans = Array.from({ length: runs }, (_, run) => runOfMiners(run + 1, miners)).flat();
  return acquireAll(async ({ add, close }) => {
    const server = await openBenchServer();
    add(() => server.close());
    const database = await server.createDatabase();
    const naive = await openNaiveWriter(database);
    add(() => naive.close());
    const naiveSpans = spans.slice(0, naiveEvents);
    await naive.measure(naiveSpans);
    await recordAll(database, spans);
    const copied = await copyRows(database, LOG, spans.length);
    add(() => copied.close());
    const comparisons = [
      ratesOf({ database, spans, naive, naiveSpans, copied }),
      sizesOf(database, spans.slice(0, spans.length / 2)),
    ];
    return { comparisons, close };
  });
}

/** Inputs of the comparison of rates. */
interface RateParts {
  readonly database: BenchDatabase;
  readonly spans: readonly ObservedSpan[];
  readonly naive: NaiveWriter;
  readonly naiveSpans: readonly ObservedSpan[];
  readonly copied: CopiedRows;
}

function ratesOf({ database, spans, naive, naiveSpans, copied }: RateParts): Comparison {
  const ours = `recorded, batches of ${DEFAULT_OPTIONS.maxBatchSize}`;
  return {
    name: 'spans to committed rows',
    unit: 'spans/s',
    sides: {
      [ours]: () => recordAll(database, spans),
      'the naive writer': () => naive.measure(naiveSpans),
      'psql \\copy of the log rows': copied.measure,
    },
    targets: [
      {
        what: 'times the rate of the naive writer',
        value: (by) => (by[ours] ?? NaN) / (by['the naive writer'] ?? NaN),
        atLeast: 80,
        unit: '×',
      },
      {
        what: 'times the rate of \\copy of the log rows',
        value: (by) => (by[ours] ?? NaN) / (by['psql \\copy of the log rows'] ?? NaN),
        atLeast: 0.6,
        unit: '×',
      },
    ],
  };
}

/** Writes into empty tables with a new exporter, whose caches are empty. */
async function recordAll({ pool }: BenchDatabase, spans: readonly ObservedSpan[]): Promise<number> {
  await emptyRecordedTables(pool);
  const rate = await drainThroughSpool(spans, toSink(createPostgresExporter({ pool })));
  await requireRows(pool, LOG, spans.length);
  return rate;
}

/** Batch sizes other than the recorder's, to show what they would gain. */
function sizesOf({ pool }: BenchDatabase, spans: readonly ObservedSpan[]): Comparison {
  const measure = async (size: number): Promise<number> => {
    await emptyRecordedTables(pool);
    const exporter = createPostgresExporter({ pool });
    const batches = numberedBatches(spans, size);
    const startedAt = performance.now();
    for (const batch of batches) {
      const { kind } = await exporter.exportObserved(batch.spans, { account: batch.account });
      if (kind !== 'written') throw new Error(`A batch was ${kind}.`);
    }
    const millis = performance.now() - startedAt;
    await requireRows(pool, LOG, spans.length);
    return perSecond(spans.length, millis);
  };
  const sides = BATCH_SIZES.map((size) => [`batches of ${size}`, () => measure(size)] as const);
  return {
    name: 'spans to committed rows, by size of the batch',
    unit: 'spans/s',
    sides: Object.fromEntries(sides),
    targets: [],
  };
}
