import { describe, expect, it } from 'vitest';
import { createPostgresExporter } from '#postgres/exporter';
import { replayDeadLetters } from '#postgres/maintenance/replay';
import type { ExportReport } from '#exporters/export-report';
import type { ObservedSpan } from '#facts/observed-span';
import { queryRows, useTestDatabase } from '#test/exporters/postgres/support/database';
import { POISON_CLOCK, POISONS, scoredAt, startedAt } from '#test/support/poisons';
import { endedSpan } from '#test/support/spans';

const database = useTestDatabase({ isEmptiedBeforeEach: true });

const NOW = POISON_CLOCK;
const now = (): number => NOW.getTime();
const neighbour = endedSpan({ step: 'poll', run: 2, at: 1000 });

const rows = <Row extends object>(sql: string) => queryRows<Row>(database.pool, sql);
const stepNames = async (): Promise<readonly string[]> =>
  (await rows<{ step_name: string }>('select step_name from weather_forecast_steps')).map(
    (row) => row.step_name,
  );
const letterReasons = async (): Promise<readonly string[]> =>
  (await rows<{ reason: string }>('select reason from dead_letter_spans')).map(({ reason }) => reason);
const detailOfLetter = async (): Promise<string> =>
  (await rows<{ detail: string }>('select detail from dead_letter_spans'))[0]?.detail ?? '';

/** Isolation as in the processor: a rejected batch is retried span by span, and a span rejected alone is dead-lettered. */
async function isolate(spans: readonly ObservedSpan[]): Promise<readonly ExportReport['kind'][]> {
  const exporter = createPostgresExporter({ pool: database.pool, now });
  const together = await exporter.exportObserved(spans);
  if (together.kind !== 'rejected') return [together.kind];
  const kinds: ExportReport['kind'][] = ['rejected'];
  for (const span of spans) {
    const alone = await exporter.exportObserved([span]);
    kinds.push(alone.kind);
    if (alone.kind === 'rejected') kinds.push((await exporter.writeDeadLetter(span, alone.error)).kind);
  }
  return kinds;
}

describe('poison spans', () => {
  it.each(POISONS)(
    'a poison span blocks no other span and is never lost: %s is %s',
    { timeout: 60_000 },
    async (_what, fate, span) => {
      const kinds = await isolate([span, neighbour]);
      expect(kinds).toEqual(
        fate === 'refused_by_database' ? ['rejected', 'rejected', 'written', 'written'] : ['written'],
      );
      expect(await stepNames()).toHaveLength(fate === 'recorded' ? 2 : 1);
      expect(await letterReasons()).toEqual(fate === 'recorded' ? [] : [fate]);
      if (fate !== 'recorded') expect((await detailOfLetter()).length).toBeGreaterThan(10);
    },
  );

  it.each(POISONS.filter(([, fate]) => fate !== 'recorded'))(
    'a replay with an unchanged cause keeps the dead letter and its reason: %s',
    { timeout: 60_000 },
    async (_what, fate, span) => {
      await isolate([span]);
      const { recorded, refused, stripped } = await replayDeadLetters(database.pool, {}, NOW);
      expect(recorded).toBe(0);
      expect(stripped === 1 ? { [fate]: stripped } : refused).toEqual({ [fate]: 1 });
      expect(await letterReasons()).toEqual([fate]);
    },
  );

  it('the dead letter of an invalid clock names the value and the range allowed', async () => {
    await isolate([startedAt('2031-01-01T00:00:00Z')]);
    expect(await detailOfLetter()).toBe(
      'the step started at 2031-01-01T00:00:00.000Z; allowed: 2000-01-01T00:00:00.000Z to a day after now, 2026-11-25T00:00:00.000Z',
    );
  });

  it('a span with an invalid clock creates no partition, by its start or its end', async () => {
    const wild = startedAt('2031-01-01T00:00:00Z');
    await isolate([
      { ...wild, phase: 'started', endTimeUnixNano: null },
      wild,
      scoredAt('2031-01-01T00:00:00Z'),
    ]);
    expect(await letterReasons()).toHaveLength(2);
    await isolate([{ ...wild, phase: 'started', endTimeUnixNano: null }]);
    expect(await letterReasons()).toHaveLength(3);
    expect(await stepNames()).toEqual([]);
    const wildOnes = await rows(`select from pg_class where relname ~ '_(2030|2031)'`);
    expect(wildOnes).toEqual([]);
  });
});
