import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPostgresExporter } from '#postgres/exporter';
import { createPartitionsAhead, maintainPartitions } from '#postgres/retention/retention';
import { readArchivedRunIds } from '#postgres/retention/archived-folds';
import type { ObservedSpan } from '#facts/observed-span';
import type { Retention } from '#semconv';
import { interceptPool } from '#test/support/intercepted-pool';
import { createTestDatabase, type TestDatabase } from '#test/support/postgres';
import { componentScore, endedSpan, startOfSpan } from '#test/support/spans';

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

const DAY = 86_400_000;
/** A Friday; the partitions of steps begin on Thursdays. */
const NOW = new Date('2027-01-15T12:00:00Z');
const T0 = Date.UTC(2026, 10, 23, 18);

/** Every run has ended, so that its age alone decides whether a partition is dropped. */
const attributes = { 'weather.run.status': 'completed' };
const stepAt = (iso: string, run = 1): ObservedSpan =>
  endedSpan({ step: 'query', run, at: Date.parse(iso) - T0, attributes });
const scoredAt = (iso: string, valid_time: string, run = 1): ObservedSpan =>
  endedSpan({
    step: 'era5',
    run,
    lead: 24,
    at: Date.parse(iso) - T0,
    attributes,
    events: [componentScore({ score_type: 'era5', variable_name: 'z', valid_time, rmse: 1 })],
  });

async function record(...spans: readonly ObservedSpan[]): Promise<void> {
  const exporter = createPostgresExporter({ pool: database.pool, now: () => NOW.getTime() });
  expect(await exporter.exportObserved(spans)).toEqual({ kind: 'written' });
}
const maintain = (retention: Retention, now = NOW) => maintainPartitions(database.pool, { now, retention });

async function partitions(): Promise<readonly string[]> {
  const { rows } = await database.pool.query<{ name: string }>(
    `select relname as name from pg_inherits join pg_class on pg_class.oid = inhrelid
     where inhparent in ('weather_forecast_steps_finished'::regclass, 'weather_forecast_component_scores'::regclass)
     order by relname`,
  );
  return rows.map(({ name }) => name.replace('weather_forecast_', ''));
}
async function count(table: string): Promise<number> {
  return (await database.pool.query(`select from ${table}`)).rows.length;
}
async function archivedRuns(): Promise<readonly number[]> {
  const client = await database.pool.connect();
  try {
    return await readArchivedRunIds(client, { validatorId: 1, validatorHotkey: '' });
  } finally {
    client.release();
  }
}
const letters = async (): Promise<readonly Record<string, unknown>[]> =>
  (
    await database.pool.query<Record<string, unknown>>(
      'select reason, detail, span_id from dead_letter_spans',
    )
  ).rows;

describe('maintainPartitions', () => {
  it('the current and the next partition of each table are created ahead, once', async () => {
    expect(await createPartitionsAhead(database.pool, NOW)).toHaveLength(4);
    expect(await partitions()).toEqual([
      'component_scores_20270114',
      'component_scores_20270211',
      'steps_finished_20270114',
      'steps_finished_20270121',
    ]);
    expect(await createPartitionsAhead(database.pool, NOW)).toEqual([]);
    const statements: string[] = [];
    const pool = interceptPool(database.pool, (text, run) => {
      statements.push(text);
      return run();
    });
    await createPostgresExporter({ pool, now: () => NOW.getTime() }).exportObserved([
      scoredAt('2027-01-15T00:00:00Z', '2027-01-14T00:00:00Z'),
      stepAt('2027-01-21T00:00:00Z'),
    ]);
    expect(statements.filter((text) => text.startsWith('create') || text.startsWith('alter'))).toEqual([]);
  });

  it('partitions stay forever without a retention', async () => {
    await record(stepAt('2026-11-23T18:00:00Z'));
    expect(await maintain({})).toMatchObject({ dropped: [], postponed: [] });
    expect(await count('weather_forecast_steps')).toBe(1);
  });

  it('a partition is dropped when its youngest instant exceeds the retention of its table', async () => {
    await record(
      stepAt('2026-12-10T00:00:00Z'),
      stepAt('2026-12-17T00:00:00Z', 2),
      scoredAt('2026-12-31T00:00:00Z', '2026-11-19T00:00:00Z', 3),
      scoredAt('2026-12-31T00:00:00Z', '2026-12-17T00:00:00Z', 4),
    );
    // The week from the 10th of December ends on the 17th, 29.5 days before now.
    expect((await maintain({ weather_forecast_steps: 30 })).dropped).toEqual([]);
    expect((await maintain({ weather_forecast_steps: 29 })).dropped).toEqual([
      'weather_forecast_steps_finished_20261210',
    ]);
    expect((await maintain({ weather_forecast_component_scores: 29 })).dropped).toEqual([
      'weather_forecast_component_scores_20261119',
    ]);
    expect(
      (await maintain({ weather_forecast_steps: 29, weather_forecast_component_scores: 29 })).dropped,
    ).toEqual([]);
    expect(await count('weather_forecast_steps')).toBe(3);
    expect(await count('weather_forecast_component_scores')).toBe(1);
    expect(await count('dropped_partitions')).toBe(2);
    expect(await count(`pg_class where relname ~ '20261210|scores_20261119'`)).toBe(0);
  });

  it('a drop keeps runs, responses and forecasts and records the runs with an incomplete log', async () => {
    await record(stepAt('2026-11-23T18:00:00Z', 1), stepAt('2027-01-15T00:00:00Z', 2));
    await maintain({ weather_forecast_steps: 7 });
    for (const table of ['weather_forecast_runs', 'weather_miner_responses', 'weather_forecast_stats'])
      expect(await count(table)).toBe(2);
    expect(await archivedRuns()).toEqual([1]);
  });

  it('a drop keeps running steps of any age', async () => {
    const running = startOfSpan(stepAt('2026-11-23T18:00:00Z'));
    await record(running, stepAt('2026-11-23T18:00:01Z'));
    await maintain({ weather_forecast_steps: 7 });
    expect(await count('weather_forecast_steps_running')).toBe(1);
    expect(await count('weather_forecast_steps')).toBe(1);
  });
});

describe('rejectLateSpans', () => {
  const old = stepAt('2026-11-23T18:00:00Z');
  const neighbour = stepAt('2027-01-15T00:00:00Z', 2);

  it('a late start or end becomes a dead letter and the rest of the batch is recorded', async () => {
    await record(old);
    await maintain({ weather_forecast_steps: 7 });
    await record(old, neighbour);
    await record(startOfSpan(old));
    expect(await letters()).toMatchObject([
      {
        reason: 'partition_dropped',
        span_id: old.spanId,
        detail:
          'it belongs to weather_forecast_steps_finished_20261119, which retention has dropped, and its run has lost ' +
          'steps; ' +
          'allowed: what is younger than BAROGRAPH_RETENTION_DAYS',
      },
      { reason: 'partition_dropped' },
    ]);
    expect(await count('weather_forecast_steps')).toBe(1);
    expect(await count('weather_forecast_steps_running')).toBe(0);
  });

  it('a span with only late scores is recorded as a whole, since its step shows that it is new', async () => {
    await record(scoredAt('2027-01-15T00:00:00Z', '2026-11-24T00:00:00Z'));
    await maintain({ weather_forecast_component_scores: 7 });
    await record(scoredAt('2027-01-15T01:00:00Z', '2026-11-25T00:00:00Z', 5), neighbour);
    expect(await letters()).toEqual([]);
    expect(await count('weather_forecast_steps')).toBe(3);
    expect(await count('weather_forecast_component_scores')).toBe(1);
    expect((await maintain({ weather_forecast_component_scores: 7 })).dropped).toEqual([
      'weather_forecast_component_scores_20261119',
    ]);
  });

  it('a late span of a run that has lost no step is recorded, since it cannot have been counted', async () => {
    await record(old);
    await maintain({ weather_forecast_steps: 7 });
    const other = stepAt('2026-11-23T19:00:00Z', 2);
    await record(other);
    await record(other);
    expect(await letters()).toEqual([]);
    expect(await count('weather_forecast_steps')).toBe(1);
    expect((await maintain({ weather_forecast_steps: 7 })).dropped).toHaveLength(1);
    await record(other);
    expect(await letters()).toMatchObject([{ reason: 'partition_dropped', span_id: other.spanId }]);
  });

  it('a repeated span whose row still exists is accepted and changes nothing', async () => {
    const scored = scoredAt('2027-01-15T00:00:00Z', '2026-11-24T00:00:00Z');
    await record(scored);
    await maintain({ weather_forecast_component_scores: 7 });
    await record(scored, startOfSpan(scored));
    expect(await letters()).toEqual([]);
    expect(await count('weather_forecast_steps')).toBe(1);
    expect(await count('weather_forecast_component_scores')).toBe(0);
  });

  it('a late end of a running step is recorded, and dropped by the next maintenance', async () => {
    const other = stepAt('2026-11-23T18:00:01Z');
    await record(startOfSpan(old), other);
    await maintain({ weather_forecast_steps: 7 });
    await record(old);
    expect(await letters()).toEqual([]);
    expect(await count('weather_forecast_steps_running')).toBe(0);
    expect(await count('weather_forecast_steps')).toBe(1);
    expect((await maintain({ weather_forecast_steps: 7 })).dropped).toEqual([
      'weather_forecast_steps_finished_20261119',
    ]);
    await record(old);
    expect(await letters()).toMatchObject([{ reason: 'partition_dropped' }]);
  });

  it('a batch of recent spans costs no additional statement', async () => {
    const asked: string[] = [];
    const pool = interceptPool(database.pool, (text, run) => {
      if (text.includes('dropped_partitions')) asked.push(text);
      return run();
    });
    const exporter = createPostgresExporter({ pool, now: () => NOW.getTime() });
    await exporter.exportObserved([neighbour, startOfSpan(stepAt('2027-01-14T23:00:00Z'))]);
    expect(asked).toEqual([]);
  });
});

describe('maintainPartitions beside other transactions', () => {
  it('concurrent maintainers create and drop each partition once', async () => {
    await record(
      ...[0, 1, 2, 3].map((week) => stepAt(new Date(T0 + week * 7 * DAY).toISOString(), week + 1)),
    );
    const reports = await Promise.all([1, 2, 3].map(() => maintain({ weather_forecast_steps: 7 })));
    expect(reports.flatMap(({ dropped }) => dropped).sort()).toEqual(
      ['20261119', '20261126', '20261203', '20261210'].map((day) => `weather_forecast_steps_finished_${day}`),
    );
    expect(reports.flatMap(({ created }) => created)).toHaveLength(4);
    const { rows } = await database.pool.query<{ fold: { updatedAt: number } }>(
      'select fold from archived_miner_stats',
    );
    expect(rows).toHaveLength(1);
    expect(await count('archived_runs')).toBe(4);
  });

  it('a writer during a drop fails at most retryably', async () => {
    await record(stepAt('2026-11-23T18:00:00Z'));
    const exporters = [1, 2, 3].map((n) => ({
      n,
      exporter: createPostgresExporter({ pool: database.pool, now: () => NOW.getTime() }),
    }));
    const writing = exporters.map(async ({ n, exporter }) => {
      const kinds: string[] = [];
      for (let i = 0; i < 15; i += 1) {
        const batch = [
          stepAt(new Date(T0 + n * 1000 + i).toISOString(), n),
          stepAt(new Date(NOW.getTime() - i).toISOString(), n),
        ];
        let report = await exporter.exportObserved(batch);
        for (let again = 0; report.kind === 'retryable' && again < 20; again += 1)
          report = await exporter.exportObserved(batch);
        kinds.push(report.kind);
      }
      return kinds;
    });
    const dropped: string[] = [];
    for (let i = 0; i < 3; i += 1) dropped.push(...(await maintain({ weather_forecast_steps: 7 })).dropped);
    expect((await Promise.all(writing)).flat()).toEqual(Array<string>(45).fill('written'));
    expect(dropped).toContain('weather_forecast_steps_finished_20261119');
    expect(new Set((await letters()).map(({ reason }) => reason)).size).toBeLessThanOrEqual(1);
    expect(await count(`weather_forecast_steps where started_at >= '2027-01-01'`)).toBe(45);
  });

  it('a writer whose cached partition was dropped retries and creates it again', async () => {
    const exporter = createPostgresExporter({ pool: database.pool, now: () => NOW.getTime() });
    await exporter.exportObserved([stepAt('2027-01-14T13:00:00Z')]);
    // Dropped by a maintainer whose clock is ahead.
    await maintain({ weather_forecast_steps: 1 }, new Date('2027-03-01T00:00:00Z'));
    const next = stepAt('2027-01-15T00:00:00Z', 9);
    expect(await exporter.exportObserved([next])).toMatchObject({
      kind: 'retryable',
      error: { code: '23514' },
    });
    expect(await exporter.exportObserved([next])).toEqual({ kind: 'written' });
    expect(await count('weather_forecast_steps')).toBe(1);
  });

  it('a span that is repeated while its partition is dropped does not count twice', async () => {
    const old = stepAt('2026-11-23T18:00:00Z');
    await record(old);
    const rounds: (readonly string[])[] = [];
    const pool = interceptPool(database.pool, async (text, run) => {
      const result = await run();
      if (text.includes('from dropped_partitions') && rounds.length === 0)
        rounds.push((await maintain({ weather_forecast_steps: 7 })).dropped);
      return result;
    });
    const exporter = createPostgresExporter({ pool, now: () => NOW.getTime() });
    expect(await exporter.exportObserved([old])).toMatchObject({ kind: 'retryable' });
    expect(rounds).toEqual([['weather_forecast_steps_finished_20261119']]);
    expect(await exporter.exportObserved([old])).toEqual({ kind: 'written' });
    expect(await letters()).toMatchObject([{ reason: 'partition_dropped' }]);
    expect(await count('weather_forecast_steps')).toBe(0);
  });

  it(
    'a partition locked by a long reader is postponed, so that writers do not queue',
    { timeout: 60_000 },
    async () => {
      await record(stepAt('2026-11-23T18:00:00Z'));
      const reader = await database.pool.connect();
      await reader.query('begin');
      await reader.query('select from weather_forecast_steps');
      const maintaining = maintain({ weather_forecast_steps: 7 });
      const writes = await writeDuring(maintaining);
      expect(await maintaining).toMatchObject({
        dropped: [],
        postponed: ['weather_forecast_steps_finished_20261119'],
      });
      expect(writes).toBeGreaterThan(0);
      await reader.query('commit');
      reader.release();
      expect((await maintain({ weather_forecast_steps: 7 })).dropped).toHaveLength(1);
    },
  );
});

/** Writes until the work is done; returns the number of successful writes. */
async function writeDuring(work: Promise<unknown>): Promise<number> {
  const state = { isDone: false };
  const ended = work.finally(() => (state.isDone = true));
  let writes = 0;
  for (; !state.isDone; writes += 1) await record(stepAt(new Date(NOW.getTime() - writes).toISOString()));
  await ended;
  return writes;
}
