import { describe, expect, it } from 'vitest';
import { createPostgresExporter } from '#postgres/exporter';
import { replayDeadLetters } from '#postgres/maintenance/replay';
import type { ObservedSpan } from '#facts/observed-span';
import { interceptPool } from '#test/support/intercepted-pool';
import { useTestDatabase } from '#test/exporters/postgres/support/database';
import { componentScore, endedSpan, startOfSpan } from '#test/support/spans';
import { dumpTables, emptyTables } from '#test/support/tables';

const database = useTestDatabase({ isEmptiedBeforeEach: true });

const NOW = new Date('2026-11-24T00:00:00Z');

const spans = [1, 2, 3].flatMap((run) => {
  const call = endedSpan({
    step: 'communication',
    run,
    attributes: { 'weather.response.transport': 'success', 'weather.hosting.latency_ms': NaN },
  });
  const valid_time = '2026-11-24T00:00:00Z';
  const events = [componentScore({ score_type: 'era5', variable_name: 'z', valid_time, rmse: 1.5 })];
  return [startOfSpan(call), call, endedSpan({ step: 'era5', run, lead: 24, at: 1000, events })];
});

async function writeDeadLetters(deadLettered: readonly ObservedSpan[]): Promise<void> {
  const exporter = createPostgresExporter({ pool: database.pool, now: () => NOW.getTime() });
  const error = Object.assign(new Error('refused'), { code: '23514' });
  for (const span of deadLettered)
    expect(await exporter.writeDeadLetter(span, error)).toEqual({ kind: 'written' });
}

const count = async (table: string): Promise<number> =>
  (await database.pool.query(`select from ${table}`)).rows.length;
const reasons = async (): Promise<readonly string[]> =>
  (
    await database.pool.query<{ reason: string }>('select reason from dead_letter_spans order by reason')
  ).rows.map(({ reason }) => reason);

describe('replayDeadLetters', () => {
  it('a replay leaves the tables as if its spans had never been rejected', async () => {
    const exporter = createPostgresExporter({ pool: database.pool, now: () => NOW.getTime() });
    await exporter.exportObserved(spans);
    const clean = await dumpTables(database.pool);
    await emptyTables(database.pool);
    await writeDeadLetters(spans);
    expect(await replayDeadLetters(database.pool, {}, NOW)).toEqual({
      recorded: 9,
      refused: {},
      stripped: 0,
    });
    expect(await dumpTables(database.pool)).toEqual(clean);
  });

  it('a dead letter is recorded once its cause is gone and keeps the current reason until then', async () => {
    await database.pool.query('alter table weather_forecast_runs add constraint odd check (id % 2 = 1)');
    await writeDeadLetters(spans);
    await database.pool.query(`update dead_letter_spans set reason = 'partition_dropped', detail = 'before'`);
    expect(await replayDeadLetters(database.pool, {}, NOW)).toEqual({
      recorded: 6,
      refused: { refused_by_database: 3 },
      stripped: 0,
    });
    const { rows } = await database.pool.query<{ detail: string }>(
      'select distinct detail from dead_letter_spans',
    );
    expect(rows).toEqual([
      { detail: '23514: new row for relation "weather_forecast_runs" violates check constraint "odd"' },
    ]);
    await database.pool.query('alter table weather_forecast_runs drop constraint odd');
    expect(await replayDeadLetters(database.pool, {}, NOW)).toMatchObject({ recorded: 3, refused: {} });
    expect(await count('dead_letter_spans')).toBe(0);
    expect(await count('weather_forecast_runs')).toBe(3);
  });

  it('a replay is limited by run, reason and span', async () => {
    await writeDeadLetters(spans);
    const [, call] = spans;
    expect(await replayDeadLetters(database.pool, { spanId: call?.spanId ?? '' }, NOW)).toMatchObject({
      recorded: 2,
    });
    expect(await replayDeadLetters(database.pool, { runId: 2 }, NOW)).toMatchObject({ recorded: 3 });
    expect(await replayDeadLetters(database.pool, { reason: 'clock_out_of_range' }, NOW)).toMatchObject({
      recorded: 0,
    });
    expect(await count('dead_letter_spans')).toBe(4);
  });

  it('a dead letter with a clock ahead is recorded once time has caught up', async () => {
    const early = endedSpan({ step: 'query', at: 3 * 86_400_000 });
    await createPostgresExporter({ pool: database.pool, now: () => NOW.getTime() }).exportObserved([early]);
    expect(await replayDeadLetters(database.pool, {}, NOW)).toMatchObject({
      refused: { clock_out_of_range: 1 },
    });
    expect(await reasons()).toEqual(['clock_out_of_range']);
    const later = new Date('2026-11-26T00:00:00Z');
    expect(await replayDeadLetters(database.pool, {}, later)).toMatchObject({ recorded: 1, refused: {} });
  });

  it('a lost connection at any statement neither loses nor duplicates a span', async () => {
    const [, call] = spans;
    const broken: string[] = [];
    let place = 0;
    for (;;) {
      await emptyTables(database.pool);
      await writeDeadLetters(call === undefined ? [] : [call]);
      let statement = 0;
      const pool = interceptPool(database.pool, async (text, run) => {
        statement += 1;
        if (statement !== place + 1) return run();
        broken.push(text);
        throw new Error('Connection terminated unexpectedly');
      });
      const target = Object.assign(pool, { query: database.pool.query.bind(database.pool) });
      const { recorded } = await replayDeadLetters(target, {}, NOW);
      expect([recorded, await count('dead_letter_spans'), await count('weather_forecast_steps')]).toEqual([
        1, 0, 1,
      ]);
      if (statement <= place) break;
      place += 1;
    }
    expect(broken).toContain('commit');
    expect(broken.length).toBeGreaterThan(10);
  });

  it('a replay throws when the server stays away and all dead letters remain', async () => {
    await writeDeadLetters(spans);
    const pool = interceptPool(database.pool, () => Promise.reject(new Error('Connection terminated')));
    const target = Object.assign(pool, { query: database.pool.query.bind(database.pool) });
    await expect(replayDeadLetters(target, {}, NOW)).rejects.toThrow('Connection terminated');
    expect(await count('dead_letter_spans')).toBe(9);
  });

  it('more dead letters than one page are each tried once', async () => {
    const wrong = Array.from({ length: 230 }, (_, n) =>
      endedSpan({ step: 'query', at: n, attributes: { 'weather.step.status': 'done' } }),
    );
    await createPostgresExporter({ pool: database.pool, now: () => NOW.getTime() }).exportObserved(wrong);
    expect(await replayDeadLetters(database.pool, {}, NOW)).toEqual({
      recorded: 0,
      refused: { invalid_attribute: 230 },
      stripped: 0,
    });
    expect(await count('dead_letter_spans')).toBe(230);
  });
});
