import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ObservedSpan } from '#facts/observed-span';
import { useTestDatabase, writeBatches } from '#test/exporters/postgres/support/database';
import { endedSpan, startOfSpan } from '#test/support/spans';
import { emptyTables } from '#test/support/tables';

const database = useTestDatabase({ isEmptiedBeforeEach: true });

const record = (...batches: readonly (readonly ObservedSpan[])[]) => writeBatches(database.pool, batches);

async function emitters(): Promise<readonly Record<string, unknown>[]> {
  const { rows } = await database.pool.query<Record<string, unknown>>(
    'select instance_id, spans, ended_spans, first_seen, last_seen from emitters order by instance_id',
  );
  return rows;
}

const spans = [0, 1, 2].map((n) => endedSpan({ step: 'query', attempt: n + 1, at: n * 1000 }));
const [first = endedSpan({ step: 'query' }), second = first, third = first] = spans;

describe('countEmitters', () => {
  it('each span of an emitter counts once, at its start or its end, whichever arrives first', async () => {
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

  it('the counts do not depend on order, repetition and batch split of the observations', async () => {
    const all = spans.flatMap((span) => [startOfSpan(span), span]);
    const disturbed = fc
      .array(fc.constantFrom(...all), { maxLength: 4 })
      .map((repeated) => [...all, ...repeated])
      .chain((observations) =>
        fc.shuffledSubarray(observations, { minLength: observations.length, maxLength: observations.length }),
      )
      .chain((observations) =>
        fc
          .nat(observations.length)
          .map((cut) => [observations.slice(0, cut), observations.slice(cut)] as const),
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

  it('emitters are kept apart by name and by validator', async () => {
    const elsewhere = endedSpan({ step: 'poll', instance: 'instance-2' });
    const other = endedSpan({ step: 'poll', validator: '5Other', at: 7 });
    await record([first, elsewhere, other]);
    expect(await emitters()).toMatchObject([
      { instance_id: 'instance-1', spans: 1 },
      { instance_id: 'instance-1', spans: 1 },
      { instance_id: 'instance-2', spans: 1 },
    ]);
  });

  it('spans without an instance id create no emitter', async () => {
    const resource = { 'weather.validator.hotkey': '5Validator' };
    await record([{ ...first, resource }]);
    expect(await emitters()).toEqual([]);
  });
});
