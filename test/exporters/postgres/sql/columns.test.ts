import { beforeAll, describe, expect, it } from 'vitest';
import { countsAsError, ERROR_CATEGORIES, FAULT_OF } from '#semconv';
import { queryRows, useTestDatabase, writeBatches } from '#test/exporters/postgres/support/database';
import { RECORDED_RUNS } from '#test/support/recorded-runs';

/** The tables of the seed, the runs and the decisions. */
const TABLES = [
  'weather_forecast_stats',
  'weather_forecast_steps',
  'weather_miner_responses',
  'weather_forecast_component_scores',
  'miner_stats',
  'weather_forecast_runs',
  'validator_job_logs',
];

const database = useTestDatabase();
beforeAll(async () => {
  await writeBatches(database.pool, [RECORDED_RUNS.map((span) => ({ ...span, traceSampled: true }))]);
});

const rows = <Row extends object>(sql: string, values?: unknown[]) =>
  queryRows<Row>(database.pool, sql, values);

interface CatalogColumn {
  readonly name: string;
  readonly meaning: string | null;
}

const columnsOf = (table: string): Promise<readonly CatalogColumn[]> =>
  rows<CatalogColumn>(
    `select attname as name, col_description(attrelid, attnum) as meaning from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum`,
    [table],
  );

/** The columns of a table that are null in every row. */
async function emptyColumns(table: string, columns: readonly CatalogColumn[]): Promise<string[]> {
  const counts = columns.map(({ name }) => `count(${name}) as ${name}`).join(', ');
  const [counted] = await rows<Record<string, number>>(`select ${counts} from ${table}`);
  return columns.map(({ name }) => name).filter((name) => counted?.[name] === 0);
}

describe('columns of the recorded tables', () => {
  it.each(TABLES)('every column of %s is written or has a comment why not', async (table) => {
    const columns = await columnsOf(table);
    expect(columns.length).toBeGreaterThan(5);
    const unwritten = columns.filter(({ meaning }) => meaning?.startsWith('Not written: '));
    expect(await emptyColumns(table, columns)).toEqual(unwritten.map(({ name }) => name));
    for (const { meaning } of unwritten) expect(meaning).toMatch(/^Not written: .{10,}\.$/);
  });

  it('the recorded runs leave no dead letter, so that an empty column has no writer', async () => {
    expect(await rows('select reason, detail from dead_letter_spans')).toEqual([]);
    expect(
      await rows(`select from weather_forecast_steps where facts -> 'adjustments' ? 'invalid_json'`),
    ).toEqual([]);
  });
});

describe('public schema', () => {
  it('every table, every view and every column has a comment', async () => {
    const silent = await rows<{ name: string }>(
      `select relation.oid::regclass || coalesce('.' || part.attname, '') as name
       from pg_class as relation
       cross join lateral (
         select 0 as attnum, null as attname
         union all
         select attnum, attname from pg_attribute where attrelid = relation.oid and attnum > 0 and not attisdropped
       ) as part
       where relation.relkind in ('r', 'p', 'v', 'm') and not relation.relispartition
         and relation.relnamespace = 'public'::regnamespace
         and coalesce(case part.attnum when 0 then obj_description(relation.oid, 'pg_class')
           else col_description(relation.oid, part.attnum) end, '') = ''
       order by 1`,
    );
    expect(silent.map(({ name }) => name)).toEqual([]);
  });

  it('a column of a view has the comment of its table column, unless the view changes its meaning', async () => {
    const [timeline, current] = await Promise.all([
      columnsOf('forecast_timeline'),
      columnsOf('current_miner_stats'),
    ]);
    expect(timeline.find(({ name }) => name === 'latency_ms')?.meaning).toBe(
      'End minus start, of successes and failures alike, ms.',
    );
    expect(current).toEqual(await columnsOf('miner_stats'));
  });

  it('error_categories equals the categories, faults and transport flags of the code', async () => {
    const known = await rows('select category, fault, is_transport from error_categories order by category');
    const wanted = ERROR_CATEGORIES.map((category) => ({
      category,
      fault: FAULT_OF[category],
      is_transport: !countsAsError('query', category),
    }));
    expect(known).toEqual(wanted.sort((a, b) => (a.category < b.category ? -1 : 1)));
  });
});
