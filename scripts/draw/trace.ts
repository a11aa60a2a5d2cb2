import type { Pool } from 'pg';
import type { DashboardChoice } from '../dashboards/interpolate.ts';
import { COLOURS } from '#dashboards/panels/colours';
import type { StepStatus } from '#semconv';
import { cssColour } from './colours.ts';
import { formatNumber } from './formats.ts';
import { label, rect, svg } from './html.ts';
import { makePage, PAGE_WIDTH, type Page } from './page.ts';

interface Span {
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  readonly lead: number | null;
  readonly attempt: number;
  readonly status: StepStatus;
  readonly error: string | null;
  readonly startedAt: Date;
  readonly millis: number;
}

const QUERY = `
  select step.span_id as "spanId", step.parent_span_id as "parentSpanId", step.span_name as name,
    step.lead_hours as lead, step.attempt, step.status, step.error_type as error, step.started_at as "startedAt",
    coalesce(step.latency_ms, 0) as millis
  from weather_forecast_steps as step
  join weather_forecast_stats as forecast using (validator_id, run_id, trace_id)
  where (validator_id, run_id) = ($3::integer, $1::bigint) and forecast.miner_hotkey = $2
  order by step.started_at, step.span_id`;
const [LEFT, ROW, TOP] = [430, 22, 84];

/** The spans of a trace, each below the one that caused it, with how deep it lies. */
function nested(spans: readonly Span[]): readonly (readonly [span: Span, depth: number])[] {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const below = (parent: string | null, depth: number): (readonly [Span, number])[] =>
    spans
      .filter(({ parentSpanId: id }) => (id !== null && ids.has(id) ? id : null) === parent)
      .flatMap((span) => [[span, depth] as const, ...below(span.spanId, depth + 1)]);
  return below(null, 0);
}

/** Draws the trace of the chosen forecast as a waterfall. */
export async function drawTrace(pool: Pool, { variables }: DashboardChoice): Promise<Page> {
  const { rows } = await pool.query<Span>(QUERY, [
    variables['run'],
    variables['miner'],
    variables['validator'],
  ]);
  const spans = nested(rows);
  const from = Math.min(...rows.map(({ startedAt }) => startedAt.getTime()));
  const to = Math.max(...rows.map(({ startedAt, millis }) => startedAt.getTime() + millis));
  const scale = (PAGE_WIDTH - LEFT - 110) / Math.max(1, to - from);
  const drawn = spans.flatMap(([span, depth], row) => {
    const [x, y] = [LEFT + (span.startedAt.getTime() - from) * scale, row * ROW];
    const width = Math.max(2, span.millis * scale);
    const lead = span.lead === null ? '' : ` ${span.lead} h`;
    const words = `${formatNumber(span.millis, 'ms', 1)}${span.error === null ? '' : ` · ${span.error}`}`;
    const isLate = x + width > PAGE_WIDTH - 200;
    return [
      label(12 + depth * 16, y + 15, `${span.name}${lead} · attempt ${span.attempt}`),
      rect(x, y + 5, { width, height: ROW - 10 }, cssColour(COLOURS.stepStatus[span.status])),
      label(isLate ? x - 6 : x + width + 6, y + 15, words, isLate ? 'end' : 'start'),
    ];
  });
  const size = { width: PAGE_WIDTH, height: spans.length * ROW + 12 };
  const captions = [
    `Run ${variables['run'] ?? ''}, miner ${variables['miner'] ?? ''}: ${spans.length} spans in ${formatNumber(to - from, 'ms', 1)}, coloured by status.`,
    'Drawn by “npm run draw” from the rows of the trace in weather_forecast_steps; Jaeger shows the same spans.',
  ];
  return {
    html: makePage('Trace of a forecast', captions, svg(size, drawn.join(''))),
    size: { ...size, height: size.height + TOP },
  };
}
