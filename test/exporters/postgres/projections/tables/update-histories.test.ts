import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createPostgresExporter } from '#postgres/exporter';
import type { ForecastHistory } from '#postgres/projections/miner-history';
import { rebuildFolds } from '#postgres/maintenance/rebuild';
import { readHistories } from '#postgres/projections/tables/miner-history';
import { inTransaction } from '#database/transaction';
import type { ObservedSpan } from '#facts/observed-span';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';
import { endedSpan, hexOf, INIT_TIME, MINER, startOfSpan } from '#test/support/spans';
import { dumpTables, emptyTables } from '#test/support/tables';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(() => emptyTables(database.pool));

/** What a step says of a forecast. */
interface Values {
  readonly run: number;
  readonly status: string;
  /** Null where the step does not know it. */
  readonly day: number | null;
  readonly score: number | null;
  readonly at: number;
  readonly isRunning: boolean;
}

const OTHER = { uid: 8, hotkey: '5MinerEight' };

function stepOf(values: Values, miner = MINER): ObservedSpan {
  const { run, status, day, score, at, isRunning } = values;
  const spanId = hexOf(JSON.stringify([values, miner]), 16);
  const span = endedSpan({ step: 'era5', run, miner, lead: 24, at: at * 1000, spanId });
  const attributes = {
    ...Object.fromEntries(
      Object.entries(span.attributes).filter(([name]) => name !== 'weather.run.init_time'),
    ),
    'weather.forecast.status': status,
    'weather.run.expected_leads': 1,
    ...(day === null ? {} : { 'weather.run.init_time': INIT_TIME.replace('-23T', `-${10 + day}T`) }),
    ...(score === null ? {} : { 'weather.score.era5': score }),
  };
  const ended = { ...span, attributes: attributes };
  return isRunning ? { ...startOfSpan(ended), attributes: attributes } : ended;
}

async function record(...spans: readonly ObservedSpan[]): Promise<void> {
  const exporter = createPostgresExporter({ pool: database.pool });
  expect(await exporter.exportObserved(spans)).toEqual({ kind: 'written' });
}

async function keptHistories(): Promise<ReadonlyMap<string, ForecastHistory>> {
  const { rows } = await database.pool.query<{ key: string; history: ForecastHistory }>(
    `select validator_id || '/' || miner_hotkey as key, fold -> 'history' as history from miner_stats`,
  );
  return new Map(rows.map(({ key, history }) => [key, history]));
}

async function readAll(): Promise<ReadonlyMap<string, ForecastHistory>> {
  const { rows: miners } = await database.pool.query<{ validatorId: number; minerHotkey: string }>(
    'select validator_id as "validatorId", miner_hotkey as "minerHotkey" from miner_stats',
  );
  const client = await database.pool.connect();
  try {
    return await readHistories(client, miners);
  } finally {
    client.release();
  }
}

const historyOf = async (): Promise<ForecastHistory | undefined> =>
  (await keptHistories()).get(`1/${MINER.hotkey}`);

const anyTold = fc.record({
  run: fc.integer({ min: 1, max: 6 }),
  status: fc.constantFrom('completed', 'completed', 'failed', 'era5_scoring'),
  day: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 0, max: 8 }) }, fc.constant(null)),
  score: fc.option(fc.constantFrom(0, 0.25, 0.5, 1)),
  at: fc.integer({ min: 0, max: 40 }),
  isRunning: fc.boolean(),
});
const anyStep = fc
  .tuple(anyTold, fc.constantFrom(MINER, MINER, OTHER))
  .map(([values, miner]) => stepOf(values, miner));
const anyBatches = fc.array(fc.array(anyStep, { minLength: 1, maxLength: 5 }), {
  minLength: 1,
  maxLength: 7,
});

/** A forecast that ended, a later run with a later T0. */
const ended = (run: number, values: Partial<Values> = {}): ObservedSpan =>
  stepOf({ run, status: 'completed', day: run, score: 0.5, at: run, isRunning: false, ...values });

/** Marks the history that is kept, to see whether it is added to or read anew. */
const mark = (): Promise<unknown> =>
  database.pool.query(`update miner_stats set fold = jsonb_set(fold::jsonb, '{history,best}', '9')::json`);

describe('the history that is kept with a miner', () => {
  it('the history that is kept with a miner is what its forecasts say after every batch, in whatever order they end and change their ends', async () => {
    await fc.assert(
      fc.asyncProperty(anyBatches, async (batches) => {
        await emptyTables(database.pool);
        for (const batch of batches) {
          await record(...batch);
          expect(await keptHistories()).toEqual(await readAll());
        }
        const before = await dumpTables(database.pool);
        await inTransaction(database.pool, (client) =>
          rebuildFolds(client, { validatorHotkey: null, runId: null }),
        );
        expect(await dumpTables(database.pool)).toEqual(before);
      }),
      { numRuns: 30, seed: 20261128 },
    );
  });

  it('the history that is kept with a miner is added to when the next forecast ends, and read when an older one does', async () => {
    await record(ended(1), ended(3));
    await mark();
    await record(ended(4));
    expect(await historyOf()).toMatchObject({ best: 9, consecutiveSuccesses: 3 });
    await record(ended(2, { status: 'failed' }));
    expect(await historyOf()).toMatchObject({ best: 0.5, consecutiveSuccesses: 2 });
  });

  it('the history that is kept with a miner is read once when a fold of an older version does not tell the newest forecast', async () => {
    await record(ended(1));
    const known = await historyOf();
    await mark();
    await database.pool.query(`update miner_stats set fold = (fold::jsonb #- '{history,newest}')::json`);
    await record(endedSpan({ step: 'poll', run: 2, at: 90_000 }));
    expect(await historyOf()).toEqual(known);
  });

  it('the history that is kept with a miner is read for a miner without a row, should there be forecasts of it', async () => {
    await record(ended(1), ended(2));
    const known = await historyOf();
    await database.pool.query('delete from miner_stats');
    await record(endedSpan({ step: 'poll', run: 3, at: 90_000 }));
    expect(await historyOf()).toEqual(known);
  });
});
