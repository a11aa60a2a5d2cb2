import type { Pool } from 'pg';
import { GENERATED, SQL_TARGETS } from '#scripts/dashboards/generated';
import { interpolateSql } from '#scripts/dashboards/interpolate';
import { askAsReader } from '#scripts/dashboards/reader';

/** How long the query of a panel or a variable takes, for the slowest of the choices. */
export interface PanelTime {
  readonly name: string;
  readonly millis: number;
  readonly rows: number;
}

/** What is chosen in turn. */
export interface Choices {
  readonly runs: readonly number[];
  readonly miner: string;
}

const QUERIES = [
  ...SQL_TARGETS.map(({ dashboard, name, target }) => ({ dashboard, name, sql: target.rawSql })),
  ...GENERATED.flatMap((dashboard) =>
    dashboard.templating.list
      .filter(({ type }) => type === 'query')
      .map(({ name, query }) => ({ dashboard, name: `${dashboard.uid} variable ${name}`, sql: query })),
  ),
];

/** `now-90d` as an instant. */
function instantOf(text: string, now: number): Date {
  const [, count = '0', unit = 'd'] = /^now-(\d+)([hd])$/.exec(text) ?? [];
  return new Date(now - Number(count) * (unit === 'd' ? 86_400_000 : 3_600_000));
}

/** How often a query is timed, after one time that warms up. */
const ROUNDS = 5;

/** The least of several times: what other work on the machine adds is not the time of the query. */
async function timeOf(pool: Pool, sql: string): Promise<Omit<PanelTime, 'name'>> {
  const { rows } = await askAsReader(pool, sql);
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) times.push((await askAsReader(pool, sql)).millis);
  return { millis: Math.min(...times), rows: rows.length };
}

/** Times every SQL query of the dashboards, in the time range that each of them first shows; the slowest first. */
export async function timePanels(pool: Pool, { runs, miner }: Choices): Promise<readonly PanelTime[]> {
  const now = Date.now();
  const times: PanelTime[] = [];
  for (const { dashboard, name, sql } of QUERIES) {
    const range = { from: instantOf(dashboard.time.from, now), to: new Date(now) };
    const variables = { validator: '1', miner, jaeger: '' };
    const texts = new Set(
      runs.map((run) => interpolateSql(sql, { ...range, variables: { ...variables, run: String(run) } })),
    );
    let slowest = { millis: 0, rows: 0 };
    for (const text of texts) {
      const time = await timeOf(pool, text);
      slowest = { millis: Math.max(slowest.millis, time.millis), rows: Math.max(slowest.rows, time.rows) };
    }
    times.push({ name, ...slowest });
  }
  return times.sort((a, b) => b.millis - a.millis);
}

/** The times as a table for people. */
export function tableOf(times: readonly PanelTime[], mostMillis: number): string {
  const lines = times.map(
    ({ name, millis, rows }) => `${millis.toFixed(1).padStart(8)} ${String(rows).padStart(6)}  ${name}`,
  );
  const slow = times.filter(({ millis }) => millis > mostMillis).length;
  return [
    '      ms   rows  panel',
    ...lines,
    `${times.length} queries; ${slow} above ${mostMillis} ms.`,
  ].join('\n');
}
