import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DASHBOARD_UIDS } from '#dashboards/panels/links';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import {
  fieldsNamedBy,
  fieldsOverridden,
  GENERATED,
  SQL_TARGETS,
  type PanelTarget,
} from '#scripts/dashboards/generated';
import { interpolateSql, type DashboardChoice } from '#scripts/dashboards/interpolate';
import { allowReader, askAsReader, GRAFANA_READER, type Answer } from '#scripts/dashboards/reader';
import { MINERS } from '#test/support/recorded-runs';
import { CHOICES, RANGE, recordEverything } from './support/recorded.ts';
import type { SqlTargetJson } from '#scripts/dashboards/shapes';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await recordEverything(database);
  await allowReader(database.pool);
});
afterAll(async () => {
  await database.drop();
});

const choiceOf = (variables: Readonly<Record<string, string>>): DashboardChoice => ({
  ...RANGE,
  variables: { validator: '1', jaeger: 'http://localhost:16686', ...variables },
});
const ask = (sql: string, variables: Readonly<Record<string, string>>): Promise<Answer> =>
  askAsReader(database.pool, interpolateSql(sql, choiceOf(variables)));

/** What the query of a panel gives for each run and miner that can be chosen; the same for all where it asks for none. */
async function answersOf({ target: { rawSql } }: PanelTarget<SqlTargetJson>): Promise<readonly Answer[]> {
  const queries = new Set(CHOICES.map((choice) => interpolateSql(rawSql, choiceOf(choice))));
  const answers: Answer[] = [];
  for (const query of queries) answers.push(await askAsReader(database.pool, query));
  return answers;
}

describe('Queries of the panels, run as the role of Grafana', () => {
  it('the dashboards have queries to check', () => {
    expect(SQL_TARGETS.length).toBeGreaterThan(30);
  });

  it.each(SQL_TARGETS)('$name returns rows, and every column that its panel names', async (panel) => {
    const answers = await answersOf(panel);
    const withRows = answers.filter(({ rows }) => rows.length > 0);
    expect(withRows.length).toBeGreaterThan(0);
    const columns = withRows[0]?.columns ?? [];
    expect(fieldsNamedBy(panel.panel).filter((field) => !columns.includes(field))).toEqual([]);
    expect(new Set(columns).size).toBe(columns.length);
    // A column that is always empty is useless.
    const filled = columns.filter((column) =>
      withRows.some(({ rows }) => rows.some((row) => row[column] !== null)),
    );
    expect(columns.filter((column) => !filled.includes(column))).toEqual([]);
  });

  it('queries of lines return points in the order of time', async () => {
    for (const panel of SQL_TARGETS.filter(({ target }) => target.format === 'time_series')) {
      const answers = await answersOf(panel);
      for (const { columns, rows } of answers) {
        expect(columns[0], panel.name).toBe('time');
        const times = rows.map(({ time }) => (time as Date).getTime());
        expect(times, panel.name).toEqual([...times].sort((a, b) => a - b));
      }
    }
  });

  it('queries of trends return a strictly rising number, without which Grafana draws nothing', async () => {
    const trends = SQL_TARGETS.filter(({ panel: { type } }) => type === 'trend');
    expect(trends.length).toBeGreaterThan(0);
    for (const panel of trends) {
      const xField = panel.panel.options['xField'] as string;
      for (const { rows } of await answersOf(panel)) {
        const numbers = rows.map((row) => row[xField] as number);
        for (const number of numbers) expect(number, panel.name).toBeTypeOf('number');
        expect(numbers, panel.name).toEqual([...new Set(numbers)].sort((a, b) => a - b));
      }
    }
  });

  it('skill by lead has no point for a lead without a score, although some of its fields passed', async () => {
    const skill = SQL_TARGETS.find(({ panel: { title } }) => title === 'Skill and ACC by lead');
    const leadsOf = async (miner: string): Promise<unknown[]> =>
      (await ask(skill?.target.rawSql ?? '', { run: '5', miner })).rows.map((row) => row['lead_hours']);
    expect(await leadsOf(MINERS.good.hotkey)).toContain(120);
    expect(await leadsOf(MINERS.tampering.hotkey)).toEqual([]);
  });

  it('the history of a miner is complete, however short the time range that a link has set', async () => {
    const history = SQL_TARGETS.filter(
      ({ dashboard: { uid }, panel: { title } }) =>
        uid === DASHBOARD_UIDS.miner && title.includes('over the runs'),
    );
    expect(history).toHaveLength(2);
    for (const { target, name } of history) expect(target.rawSql, name).not.toContain('$__time');
  });

  it('every column that the query of a table returns has a title or is hidden', async () => {
    for (const panel of SQL_TARGETS.filter(({ panel: { type } }) => type === 'table')) {
      const columns = (await answersOf(panel))[0]?.columns;
      expect(fieldsOverridden(panel.panel), panel.name).toEqual(columns);
    }
  });

  it('no panel has the trace of a row when no trace store has that trace, so that no link leads nowhere', async () => {
    const withTrace = SQL_TARGETS.filter(({ target: { rawSql } }) => rawSql.includes('trace_id'));
    const traces = async (): Promise<readonly (readonly [name: string, traces: number])[]> => {
      const found: (readonly [string, number])[] = [];
      for (const panel of withTrace) {
        const rows = (await answersOf(panel)).flatMap((answer) => answer.rows);
        found.push([panel.name, rows.filter((row) => row['trace_id'] != null).length]);
      }
      return found;
    };
    expect((await traces()).filter(([, count]) => count > 0).length).toBeGreaterThan(8);
    await database.pool.query('update weather_forecast_steps set trace_sampled = false');
    await database.pool.query(`update dead_letter_spans set span = span || '{"traceSampled": false}'`);
    expect((await traces()).filter(([, count]) => count > 0)).toEqual([]);
  });

  it('queries return no rows and no error while nothing is chosen', async () => {
    for (const { target, name } of SQL_TARGETS) {
      const nothing = { validator: '', run: '', miner: '' };
      const { rows } = await ask(target.rawSql, nothing);
      if (target.rawSql.includes('${')) expect(rows, name).toEqual([]);
    }
  });

  it('a value from an address is never run as SQL', async () => {
    const attack = "1' or '1'='1";
    for (const { target, name } of SQL_TARGETS.filter(({ target: { rawSql } }) => rawSql.includes('${'))) {
      const answer = ask(target.rawSql, { validator: '1', run: attack, miner: attack });
      if (target.rawSql.includes('${run'))
        await expect(answer, name).rejects.toThrow('invalid input syntax for type bigint');
      else if (target.rawSql.includes('${miner')) expect((await answer).rows, name).toEqual([]);
    }
  });

  it('every variable is quoted, and numbers are cast', () => {
    for (const { target, name } of SQL_TARGETS)
      for (const [variable] of target.rawSql.matchAll(/\$\{[^}]*\}/g))
        expect(variable, name).toMatch(/:sqlstring\}$/);
  });
});

describe('Variables of the dashboards', () => {
  const queries = GENERATED.flatMap(({ uid, templating }) =>
    templating.list.filter(({ type }) => type === 'query').map(({ name, query }) => ({ uid, name, query })),
  );

  it.each(queries)('$name of $uid offers values to choose, each once', async ({ query }) => {
    const { columns, rows } = await ask(query, { run: '1' });
    expect(columns).toEqual(['__text', '__value']);
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows)
      expect([typeof row['__text'], typeof row['__value']]).toEqual(['string', 'string']);
    expect(new Set(rows.map((row) => row['__value'])).size).toBe(rows.length);
  });

  it('the newest run is offered first', async () => {
    const query = queries.find(({ name }) => name === 'run')?.query ?? '';
    const { rows } = await ask(query, {});
    expect(rows.map((row) => row['__value'])).toEqual(['5', '4', '3', '2', '1']);
  });
});

describe(`the role ${GRAFANA_READER}`, () => {
  it('the role cannot change anything', async () => {
    await expect(askAsReader(database.pool, 'delete from validators')).rejects.toThrow();
    const client = await database.pool.connect();
    try {
      await client.query(`begin; set local role ${GRAFANA_READER}`);
      await expect(client.query('delete from validators')).rejects.toThrow('permission denied');
    } finally {
      await client.query('rollback');
      client.release();
    }
  });

  it('the role cannot read the control state, which holds the addresses of miners', async () => {
    await expect(askAsReader(database.pool, 'select * from pipeline.runs')).rejects.toThrow(
      'permission denied',
    );
  });
});
