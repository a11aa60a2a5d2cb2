import type { FieldDef, Pool } from 'pg';
import type { DashboardJson, PanelJson, PromTargetJson, SqlTargetJson } from '../dashboards/shapes.ts';
import { panelsOf } from '../dashboards/generated.ts';
import { interpolatePromql, interpolateSql, type DashboardChoice } from '../dashboards/interpolate.ts';
import { GRAFANA_READER } from '../dashboards/reader.ts';
import { longToWide, partitionByValues, type Field, type Frame, type Value } from './frames.ts';
import { SCRAPE_SECONDS, type Series } from './prometheus.ts';
import type { Recording } from './recording.ts';

/** What the queries of each panel gave, by its id. */
export type Answers = Readonly<Record<number, readonly Frame[]>>;

/** What Grafana makes of a scrape every second. */
const RATE_INTERVAL = `${10 * SCRAPE_SECONDS}s`;
const TIMESTAMPS = [1114, 1184];
const NUMBERS = [20, 21, 23, 700, 701, 1700];

/** Asks everything that a dashboard shows. */
export async function askAll(
  recording: Recording,
  dashboard: DashboardJson,
  choice: DashboardChoice,
): Promise<Answers> {
  const answers: Record<number, readonly Frame[]> = {};
  for (const panel of panelsOf(dashboard)) {
    const frames: Frame[] = [];
    for (const target of panel.targets)
      frames.push(
        ...('rawSql' in target
          ? [await askSql(recording.pool, target, choice)]
          : await askPrometheus(recording, target, choice)),
      );
    answers[panel.id] = transformed(panel, frames);
  }
  return answers;
}

function transformed({ transformations = [] }: PanelJson, frames: readonly Frame[]): readonly Frame[] {
  return transformations.reduce(
    (all, { options }) =>
      (options['fields'] as string[]).reduce(
        (some, name) => some.flatMap((frame) => partitionByValues(frame, name)),
        all,
      ),
    frames,
  );
}

async function askSql(
  pool: Pool,
  { rawSql, format }: SqlTargetJson,
  choice: DashboardChoice,
): Promise<Frame> {
  const client = await pool.connect();
  try {
    await client.query(`begin read only; set local role ${GRAFANA_READER}`);
    const answer = await client.query<Record<string, unknown>>(interpolateSql(rawSql, choice));
    const frame = { fields: answer.fields.map((column) => toField(column, answer.rows)) };
    return format === 'time_series' ? longToWide(frame) : frame;
  } finally {
    await client.query('rollback');
    client.release();
  }
}

function toField({ name, dataTypeID }: FieldDef, rows: readonly Readonly<Record<string, unknown>>[]): Field {
  const type = TIMESTAMPS.includes(dataTypeID) ? 'time' : NUMBERS.includes(dataTypeID) ? 'number' : 'string';
  return { name, type, values: rows.map((row) => toValue(row[name], type)) };
}

function toValue(value: unknown, type: Field['type']): Value {
  if (value === null || value === undefined) return null;
  if (value instanceof Date) return value.getTime();
  if (type === 'number') return Number(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

async function askPrometheus(
  { prometheus, from }: Recording,
  { expr, instant, legendFormat }: PromTargetJson,
  { variables }: DashboardChoice,
): Promise<readonly Frame[]> {
  const to = new Date();
  const range = `${Math.ceil((to.getTime() - from.getTime()) / 1000)}s`;
  const expression = interpolatePromql(
    expr.replaceAll('$__rate_interval', RATE_INTERVAL).replaceAll('$__range', range),
    variables,
  );
  const series =
    instant === true
      ? await prometheus.query(expression, to)
      : await prometheus.queryRange(expression, { from, to });
  return series.map((one) => toFrame(one, legendFormat));
}

const toFrame = ({ labels, samples }: Series, legendFormat: string): Frame => ({
  fields: [
    { name: 'Time', type: 'time', values: samples.map(([at]) => at) },
    {
      name: 'Value',
      type: 'number',
      values: samples.map(([, value]) => (Number.isFinite(value) ? value : null)),
      labels,
      legend: legendFormat.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => labels[label] ?? ''),
    },
  ],
});
