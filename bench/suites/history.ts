import { createPostgresExporter } from '#postgres/exporter';
import { toSink } from '#postgres/span-sink';
import { acquireAll } from '#lifecycle/resource-stack';
import { writeHistory, type HistorySize } from '../support/year-of-history.ts';
import type { Comparison, Scale, Suite } from '../harness/suite.ts';
import { BENCH_EMITTER, runOfMiners } from '../miner-run.ts';
import { emptyRecordedTables, requireRows, settle } from '../support/recorded-tables.ts';
import { openBenchServer, type BenchDatabase } from '../support/server.ts';
import { drainThroughSpool } from '../support/spool.ts';

interface Size {
  readonly history: HistorySize;
  /** Of the history, at least. */
  readonly rows: number;
  readonly newRuns: number;
}

/** Two years of runs, 18 hours apart; the newest has ended, so that all of its steps exist. */
const HISTORY: HistorySize = {
  runs: 980,
  miners: 256,
  runsWithComponents: 0,
  hoursBetweenRuns: 18,
  newestDaysAgo: 16,
  isWithoutMinerStats: true,
};
const SIZES: Readonly<Record<Scale, Size>> = {
  quick: { history: { ...HISTORY, runs: 8, miners: 64 }, rows: 20_000, newRuns: 1 },
  full: { history: HISTORY, rows: 10_000_000, newRuns: 4 },
};
/** Above those of the history. */
const FIRST_RUN = 10_001;
const LOG = 'weather_forecast_steps_finished';

/**
 * The same miners in two databases of one server: one holds their history, the other starts empty each time. The
 * generated history has no `miner_stats`; the exporter builds its rows from the forecasts.
 */
export function openHistory(scale: Scale): Promise<Suite> {
  const size = SIZES[scale];
  return acquireAll(async ({ add, close }) => {
    const server = await openBenchServer();
    add(() => server.close());
    const [old, empty] = [await server.createDatabase(), await server.createDatabase()];
    await makeHistory(old, size);
    const newRuns = new NewRuns(size);
    for (const database of [old, empty]) await newRuns.record(database);
    return { comparisons: [ratesOf({ old, empty, newRuns, size })], close };
  });
}

async function makeHistory({ pool }: BenchDatabase, { history, rows }: Size): Promise<void> {
  const startedAt = performance.now();
  await writeHistory(pool, history);
  await settle(pool);
  const counted = await pool.query<{ count: number }>(`select count(*)::float8 as count from ${LOG}`);
  const count = counted.rows[0]?.count ?? 0;
  if (count < rows) throw new Error(`The history has ${count} log rows; expected: ${rows} at least.`);
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  console.error(`A history of ${count.toLocaleString('en')} log rows was written in ${seconds} s.`);
}

/** Records new runs, each as another process. */
class NewRuns {
  readonly #size: Size;
  #next = FIRST_RUN;

  constructor(size: Size) {
    this.#size = size;
  }

  /** @returns spans a second */
  async record({ pool }: BenchDatabase): Promise<number> {
    const first = this.#next;
    this.#next += this.#size.newRuns;
    const instanceId = `recorder-${first}`;
    const runs = Array.from({ length: this.#size.newRuns }, (_, index) => first + index);
    const spans = runs.flatMap((run) => runOfMiners(run, this.#size.history.miners, instanceId));
    const sink = toSink(createPostgresExporter({ pool }));
    const rate = await drainThroughSpool(spans, sink, { ...BENCH_EMITTER, instanceId });
    await requireRows(pool, `${LOG} where run_id between ${first} and ${this.#next - 1}`, spans.length);
    return rate;
  }
}

interface HistoryParts {
  readonly old: BenchDatabase;
  readonly empty: BenchDatabase;
  readonly newRuns: NewRuns;
  readonly size: Size;
}

function ratesOf({ old, empty, newRuns, size }: HistoryParts): Comparison {
  const withHistory = `with ${size.rows.toLocaleString('en')} log rows of history`;
  return {
    name: 'spans to committed rows, with history',
    unit: 'spans/s',
    sides: {
      [withHistory]: async () => {
        await settle(old.pool);
        return newRuns.record(old);
      },
      'on an empty database': async () => {
        await emptyRecordedTables(empty.pool);
        return newRuns.record(empty);
      },
    },
    targets: [
      {
        what: 'times the rate on an empty database',
        value: (by) => (by[withHistory] ?? NaN) / (by['on an empty database'] ?? NaN),
        atLeast: 0.85,
        unit: '×',
      },
    ],
  };
}
