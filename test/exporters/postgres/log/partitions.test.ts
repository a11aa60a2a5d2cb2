import { describe, expect, it } from 'vitest';
import { COMPONENT_PARTITIONS, Partitions, STEP_PARTITIONS } from '#postgres/log/partitions';
import { createPostgresExporter } from '#postgres/exporter';
import { interceptPool } from '#test/support/intercepted-pool';
import { useTestDatabase } from '#test/exporters/postgres/support/database';
import { componentScore, endedSpan } from '#test/support/spans';

const database = useTestDatabase();

const micros = (iso: string): number => Date.parse(iso) * 1000;

async function partitionsOf(table: string): Promise<readonly string[]> {
  const { rows } = await database.pool.query<{ name: string; bounds: string }>(
    `select child.relname as name, pg_get_expr(child.relpartbound, child.oid) as bounds
     from pg_inherits join pg_class as child on child.oid = inhrelid
     where inhparent = $1::regclass order by 1`,
    [table],
  );
  return rows.map(({ name, bounds }) => `${name} ${bounds}`);
}

/** Ensures partitions in a transaction of its own; returns its statements. */
async function ensure(
  partitions: Partitions,
  table: typeof STEP_PARTITIONS,
  isos: readonly string[],
  end: 'commit' | 'rollback' = 'commit',
): Promise<number> {
  let statements = 0;
  const client = await interceptPool(database.pool, (_text, run) => {
    statements += 1;
    return run();
  }).connect();
  await client.query('begin');
  await partitions.ensure(client, table, isos.map(micros));
  await client.query(end);
  client.release();
  return statements - 2;
}

describe('Partitions', () => {
  it('step partitions span whole weeks and an instant on the edge belongs to the later one', async () => {
    await ensure(new Partitions(), STEP_PARTITIONS, [
      '2026-11-18T23:59:59.999Z',
      '2026-11-19T00:00:00Z',
      '2026-11-25T23:59:59Z',
    ]);
    expect(await partitionsOf('weather_forecast_steps_finished')).toEqual([
      `weather_forecast_steps_finished_20261112 FOR VALUES FROM ('2026-11-12 00:00:00+00') TO ('2026-11-19 00:00:00+00')`,
      `weather_forecast_steps_finished_20261119 FOR VALUES FROM ('2026-11-19 00:00:00+00') TO ('2026-11-26 00:00:00+00')`,
    ]);
  });

  it('component score partitions span four weeks', async () => {
    await ensure(new Partitions(), COMPONENT_PARTITIONS, ['2026-11-23T12:00:00Z', '2026-12-03T00:00:00Z']);
    expect(await partitionsOf('weather_forecast_component_scores')).toEqual([
      `weather_forecast_component_scores_20261119 FOR VALUES FROM ('2026-11-19 00:00:00+00') TO ('2026-12-17 00:00:00+00')`,
    ]);
  });

  it('a cached partition costs no statement', async () => {
    const partitions = new Partitions();
    expect(await ensure(partitions, STEP_PARTITIONS, ['2027-01-01T00:00:00Z'])).toBeGreaterThan(0);
    expect(await ensure(partitions, STEP_PARTITIONS, ['2027-01-01T12:00:00Z'])).toBe(0);
  });

  it('partitions are looked up again after a rollback', async () => {
    const partitions = new Partitions();
    await ensure(partitions, STEP_PARTITIONS, ['2027-02-01T00:00:00Z'], 'rollback');
    partitions.invalidate();
    await ensure(partitions, STEP_PARTITIONS, ['2027-02-01T00:00:00Z']);
    expect((await partitionsOf('weather_forecast_steps_finished')).join()).toContain('20270128');
  });

  it('instants before 1970 have a partition, since a clock may be wrong', async () => {
    await ensure(new Partitions(), STEP_PARTITIONS, ['1969-12-31T23:59:59Z']);
    expect((await partitionsOf('weather_forecast_steps_finished')).join()).toContain('19691225');
  });

  it('a partition is created once when several writers need it at once', async () => {
    const now = () => Date.parse('2027-06-12T00:00:00Z');
    const spans = [1, 2, 3, 4].map((run) =>
      endedSpan({
        step: 'day1',
        run,
        lead: 12,
        at: 200 * 86_400_000,
        validator: `5Validator${run}`,
        events: [
          componentScore({
            score_type: 'day1',
            variable_name: '2t',
            valid_time: '2027-06-11T12:00:00Z',
            rmse: 1,
          }),
        ],
      }),
    );
    const reports = await Promise.all(
      spans.map((span) => createPostgresExporter({ pool: database.pool, now }).exportObserved([span])),
    );
    expect(reports).toEqual(spans.map(() => ({ kind: 'written' })));
    const { rows } = await database.pool.query<{ steps: number; scores: number }>(
      `select (select count(*) from weather_forecast_steps) as steps,
        (select count(*) from weather_forecast_component_scores) as scores`,
    );
    expect(rows).toEqual([{ steps: 4, scores: 4 }]);
  });

  it('partitions inherit the indexes of their table, so that repeated spans conflict', async () => {
    const { rows } = await database.pool.query<{ missing: string }>(
      `select child.inhrelid::regclass::text as missing from pg_inherits as child
       where child.inhparent = 'weather_forecast_steps_finished'::regclass and not exists (
         select from pg_index where indrelid = child.inhrelid and indisunique)`,
    );
    expect(rows).toEqual([]);
  });
});
