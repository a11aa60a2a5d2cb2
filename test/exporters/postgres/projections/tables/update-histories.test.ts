import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ForecastHistory } from '#postgres/projections/miner-history';
import { rebuildFolds } from '#postgres/maintenance/rebuild';
import { readHistories } from '#postgres/projections/tables/miner-history';
import { inTransaction } from '#database/transaction';
import type { ObservedSpan } from '#facts/observed-span';
import { useTestDatabase, writeBatches } from '#test/exporters/postgres/support/database';
import { endedSpan, hexOf, INIT_TIME, MINER, startOfSpan } from '#test/support/spans';
import { dumpTables, emptyTables } from '#test/support/tables';

const database = useTestDatabase({ isEmptiedBeforeEach: true });

/** What a step records of a forecast. */
interface StepOutcome {
  readonly run: number;
  readonly status: string;
  /** Null where the step has none. */
  readonly day: number | null;
  readonly score: number | null;
  readonly at: number;
  readonly isRunning: boolean;
}

const OTHER = { uid: 8, hotkey: '5MinerEight' };

function stepOf(outcome: StepOutcome, miner = MINER): ObservedSpan {
  const { run, status, day, score, at, isRunning } = outcome;
  const spanId = hexOf(JSON.stringify([outcome, miner]), 16);
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
  const ended = { ...span, attributes };
  return isRunning ? { ...startOfSpan(ended), attributes } : ended;
}

const record = (...spans: readonly ObservedSpan[]) => writeBatches(database.pool, [spans]);

async function storedHistories(): Promise<ReadonlyMap<string, ForecastHistory>> {
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
  (await storedHistories()).get(`1/${MINER.hotkey}`);

const anyOutcome = fc.record({
  run: fc.integer({ min: 1, max: 6 }),
  status: fc.constantFrom('completed', 'completed', 'failed', 'era5_scoring'),
  day: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 0, max: 8 }) }, fc.constant(null)),
  score: fc.option(fc.constantFrom(0, 0.25, 0.5, 1)),
  at: fc.integer({ min: 0, max: 40 }),
  isRunning: fc.boolean(),
});
const anyStep = fc
  .tuple(anyOutcome, fc.constantFrom(MINER, MINER, OTHER))
  .map(([outcome, miner]) => stepOf(outcome, miner));
const anyBatches = fc.array(fc.array(anyStep, { minLength: 1, maxLength: 5 }), {
  minLength: 1,
  maxLength: 7,
});

/** An ended forecast; a later run has a later T0. */
const ended = (run: number, outcome: Partial<StepOutcome> = {}): ObservedSpan =>
  stepOf({ run, status: 'completed', day: run, score: 0.5, at: run, isRunning: false, ...outcome });

/** Marks the stored history, to distinguish an incremental update from a recomputation. */
const markStoredHistory = (): Promise<unknown> =>
  database.pool.query(`update miner_stats set fold = jsonb_set(fold::jsonb, '{history,best}', '9')::json`);

describe('updateHistories', () => {
  it('the stored history equals the recomputed one after every batch', async () => {
    await fc.assert(
      fc.asyncProperty(anyBatches, async (batches) => {
        await emptyTables(database.pool);
        for (const batch of batches) {
          await record(...batch);
          expect(await storedHistories()).toEqual(await readAll());
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

  it('a newer forecast updates the history incrementally and an older one recomputes it', async () => {
    await record(ended(1), ended(3));
    await markStoredHistory();
    await record(ended(4));
    expect(await historyOf()).toMatchObject({ best: 9, consecutiveSuccesses: 3 });
    await record(ended(2, { status: 'failed' }));
    expect(await historyOf()).toMatchObject({ best: 0.5, consecutiveSuccesses: 2 });
  });

  it('a stored fold without the newest forecast is recomputed once', async () => {
    await record(ended(1));
    const known = await historyOf();
    await markStoredHistory();
    await database.pool.query(`update miner_stats set fold = (fold::jsonb #- '{history,newest}')::json`);
    await record(endedSpan({ step: 'poll', run: 2, at: 90_000 }));
    expect(await historyOf()).toEqual(known);
  });

  it('the history of a miner without a row is computed from its forecasts', async () => {
    await record(ended(1), ended(2));
    const known = await historyOf();
    await database.pool.query('delete from miner_stats');
    await record(endedSpan({ step: 'poll', run: 3, at: 90_000 }));
    expect(await historyOf()).toEqual(known);
  });
});
