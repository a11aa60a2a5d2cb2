import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPostgresExporter } from '#postgres/exporter';
import { replayDeadLetters } from '#postgres/maintenance/replay';
import { systemScheduler } from '#lifecycle/scheduler';
import { deliverBatch, type DeliveryContext } from '#processor/deliver-batch';
import { Spool } from '#spool/spool';
import type { ObservedSpan } from '#facts/observed-span';
import { createRandom, deriveSeed } from '#world';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { POISON_CLOCK, POISONS } from '../support/poisons.ts';
import { endedSpan } from '../support/spans.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { shuffled } from './support/disturbed-tables.ts';
import { FAULT_SEED } from './support/fault-settings.ts';

const NEIGHBOURS = 500;
const now = (): number => POISON_CLOCK.getTime();

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** Each poison is a span of its own, identified by its id unless the id is the poison. */
const poisons = POISONS.map(([what, fate, span], index) => ({
  what,
  fate,
  span: /^[0-9a-f]{16}$/.test(span.spanId)
    ? { ...span, spanId: `badc0de${index.toString(16).padStart(9, '0')}` }
    : span,
}));
const neighbours = Array.from({ length: NEIGHBOURS }, (_, at) => endedSpan({ step: 'poll', run: 2, at }));

/** Brings spans to the tables by the whole way: spool, delivery, halving, burying. */
async function record(spans: readonly ObservedSpan[]): Promise<{ readonly rejected: number }> {
  const directory = join(await temporaryFolder(), 'spool');
  mkdirSync(directory);
  const exporter = createPostgresExporter({ pool: database.pool, now });
  const spool = new Spool({
    directory,
    segmentBytes: 1 << 22,
    limitBytes: 1 << 30,
    durability: 'system',
    emitter: { validatorHotkey: '5Validator', instanceId: 'instance-1' },
    listener: { dropped: () => undefined, added: () => undefined },
  });
  const delivery: DeliveryContext = {
    sink: {
      export: exporter.exportObserved.bind(exporter),
      writeDeadLetter: exporter.writeDeadLetter.bind(exporter),
    },
    scheduler: systemScheduler,
    random: Math.random,
    backoff: { firstMillis: 1, maxMillis: 10 },
    exportTimeoutMillis: null,
    signal: new AbortController().signal,
    isStopped: () => false,
    onRetry: () => undefined,
    pause: () => Promise.resolve(),
  };
  for (const span of spans) spool.push(span, 0);
  let rejected = 0;
  while (spool.size > 0) {
    const delivered = await deliverBatch(await spool.take(200), delivery);
    if (delivered.kind === 'settled') rejected += delivered.rejected;
    spool.settle();
  }
  await exporter.exportObserved([], { account: spool.account(true) });
  spool.close();
  return { rejected };
}

const all = async <Row extends object>(sql: string): Promise<readonly Row[]> =>
  (await database.pool.query<Row>(sql)).rows;

describe(`${POISONS.length} poisoned spans among ${NEIGHBOURS} good ones`, () => {
  it('poisoned spans become dead letters with their reasons, and all others are recorded', async () => {
    const random = createRandom(deriveSeed(FAULT_SEED, 'poison'));
    const mixed = shuffled([...neighbours, ...poisons.map(({ span }) => span)], random);
    expect(await record(mixed)).toEqual({ rejected: 0 });
    const recorded = new Set(
      (await all<{ id: string }>('select span_id as id from weather_forecast_steps')).map(({ id }) => id),
    );
    expect(neighbours.filter(({ spanId }) => !recorded.has(spanId))).toEqual([]);
    const letters = new Map(
      (await all<{ id: string; reason: string }>('select span_id as id, reason from dead_letter_spans')).map(
        ({ id, reason }) => [id, reason],
      ),
    );
    for (const { what, fate, span } of poisons) {
      const id = span.spanId.replaceAll('\0', '\uFFFD');
      expect(fate === 'recorded' ? recorded.has(id) : letters.get(id), what).toBe(
        fate === 'recorded' ? true : fate,
      );
    }
    console.info(
      `Seed ${FAULT_SEED}: ${neighbours.length} neighbours recorded, ${letters.size} dead letters.`,
    );
  });

  it('every sequence number is accounted for despite poisoned spans', async () => {
    expect(await all('select missing::text from emitter_books where not isempty(missing)')).toEqual([]);
    expect(await all('select * from run_completeness where unaccounted <> 0')).toEqual([]);
  });

  it('dead letters are replayed once the cause of their rejection is gone', async () => {
    await database.pool.query(
      `drop view failed_checks;
       alter table weather_forecast_component_scores alter column pressure_level type bigint`,
    );
    const before = (await all('select from dead_letter_spans')).length;
    const { recorded } = await replayDeadLetters(
      database.pool,
      { reason: 'refused_by_database' },
      POISON_CLOCK,
    );
    expect(recorded).toBe(0);
    await database.pool.query(
      `update dead_letter_spans set span = jsonb_set(span, '{attributes,weather.step.status}', '"succeeded"')
       where span -> 'attributes' ->> 'weather.step.status' = 'done'`,
    );
    expect(
      await replayDeadLetters(database.pool, { reason: 'invalid_attribute' }, POISON_CLOCK),
    ).toMatchObject({
      recorded: 1,
    });
    expect(await all('select from dead_letter_spans')).toHaveLength(before - 1);
  });
});
