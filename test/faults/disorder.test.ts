import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRandom, deriveSeed } from '#world';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { RECORDED_RUNS } from '../support/recorded-runs.ts';
import { startOfSpan } from '../support/spans.ts';
import { shuffled, tablesAfter, withSkewedClocks } from './support/disturbed-tables.ts';
import { FAULT_SEED, wholeNumberOf } from './support/fault-settings.ts';

const ROUNDS = wholeNumberOf('BAROGRAPH_FAULT_DISORDER_ROUNDS', 10);
const WRITERS = 4;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

describe('spans in triplicate and disorder, from four concurrent writers with skewed clocks', () => {
  it(`disordered and duplicated spans give the same tables as ordered ones, ${ROUNDS} times`, async () => {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const random = createRandom(deriveSeed(FAULT_SEED, `disorder ${round}`));
      const spans = withSkewedClocks(RECORDED_RUNS, WRITERS, random);
      const both = spans.flatMap((span) => (span.phase === 'ended' ? [startOfSpan(span), span] : [span]));
      const clean = await tablesAfter(database.pool, [both], both.length);
      const writers = Array.from({ length: WRITERS }, () => [] as (typeof both)[number][]);
      // Each span three times; an end may well come before its start.
      for (const span of shuffled([...both, ...both, ...both], random)) {
        writers[Math.floor(random() * WRITERS)]?.push(span);
      }
      const disturbed = await tablesAfter(database.pool, writers, 1 + Math.floor(random() * 40));
      expect(disturbed, `seed ${FAULT_SEED}, round ${round}`).toEqual(clean);
      expect(clean['weather_forecast_steps']).toHaveLength(spans.length);
    }
    console.info(
      `Seed ${FAULT_SEED}: ${ROUNDS} rounds of ${RECORDED_RUNS.length} steps, each span three times, ${WRITERS} writers.`,
    );
  });
});
