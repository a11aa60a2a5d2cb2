import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createPostgresExporter } from '#postgres/exporter';
import type { ObservedSpan } from '#facts/observed-span';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';
import { endedSpan, startOfSpan } from '#test/support/spans';
import { emptyTables } from '#test/support/tables';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  await database.drop();
});
beforeEach(async () => {
  await emptyTables(database.pool);
});

async function record(...batches: readonly (readonly ObservedSpan[])[]): Promise<void> {
  const exporter = createPostgresExporter({ pool: database.pool });
  for (const batch of batches) expect(await exporter.exportObserved(batch)).toEqual({ kind: 'written' });
}

async function emitters(): Promise<readonly Record<string, unknown>[]> {
  const { rows } = await database.pool.query<Record<string, unknown>>(
    'select instance_id, spans, ended_spans, first_seen, last_seen from emitters order by instance_id',
  );
  return rows;
}

const spans = [0, 1, 2].map((n) => endedSpan({ step: 'query', attempt: n + 1, at: n * 1000 }));
const [first = endedSpan({ step: 'query' }), second = first, third = first] = spans;

describe('an emitter', () => {
  it('an emitter has each of its spans counted once, at its start or its end, whichever comes first', async () => {
    await record([startOfSpan(first)], [first], [second], [startOfSpan(second)], [startOfSpan(third)]);
    expect(await emitters()).toEqual([
      {
        instance_id: 'instance-1',
        spans: 3,
        ended_spans: 2,
        first_seen: new Date('2026-11-23T18:00:00Z'),
        last_seen: new Date('2026-11-23T18:00:02Z'),
      },
    ]);
  });

  it('an emitter has the same counts for any order, repetition and split of the same observations', async () => {
    const all = spans.flatMap((span) => [startOfSpan(span), span]);
    const disturbed = fc
      .array(fc.constantFrom(...all), { maxLength: 4 })
      .map((repeated) => [...all, ...repeated])
      .chain((events) => fc.shuffledSubarray(events, { minLength: events.length, maxLength: events.length }))
      .chain((events) =>
        fc.nat(events.length).map((cut) => [events.slice(0, cut), events.slice(cut)] as const),
      );
    await fc.assert(
      fc.asyncProperty(disturbed, async (batches) => {
        await emptyTables(database.pool);
        await record(...batches);
        expect(await emitters()).toMatchObject([{ spans: 3, ended_spans: 3 }]);
      }),
      { numRuns: 15, seed: 1 },
    );
  });

  it('an emitter is told from the others, and from one of the same name at another validator', async () => {
    const elsewhere = endedSpan({ step: 'poll', instance: 'instance-2' });
    const other = endedSpan({ step: 'poll', validator: '5Other', at: 7 });
    await record([first, elsewhere, other]);
    expect(await emitters()).toMatchObject([
      { instance_id: 'instance-1', spans: 1 },
      { instance_id: 'instance-1', spans: 1 },
      { instance_id: 'instance-2', spans: 1 },
    ]);
  });

  it('an emitter is not invented for spans that name none', async () => {
    const resource = { 'weather.validator.hotkey': '5Validator' };
    await record([{ ...first, resource }]);
    expect(await emitters()).toEqual([]);
  });
});
