import type {
  CounterDefinition,
  GaugeDefinition,
  HistogramDefinition,
  MetricDefinition,
} from '#semconv/metric-definition';
import type { LabelName } from '#semconv/metric-labels';
import { growth } from '../rules/promql.ts';

/** Label matchers; a value may be a variable of the dashboard. */
export type Matchers<Label extends LabelName> = Readonly<Partial<Record<Label, string>>>;

/** Which labels a query keeps, and which series it selects. */
export interface Selection<Label extends LabelName> {
  readonly by?: readonly Label[];
  readonly where?: Matchers<Label>;
}

const RATE_WINDOW = '$__rate_interval';
/** The whole time range of the dashboard: for counts of events within it. */
const RANGE_WINDOW = '$__range';

const by = (labels: readonly string[]): string => (labels.length === 0 ? '' : ` by (${labels.join(', ')})`);

function matchers(where: Readonly<Record<string, string | undefined>>): string {
  const all = Object.entries(where).map(([label, value]) => `${label}="${value ?? ''}"`);
  return all.length === 0 ? '' : `{${all.join(', ')}}`;
}

const series = <Label extends LabelName>(metric: MetricDefinition<Label>, where?: Matchers<Label>): string =>
  `${metric.name}${matchers(where ?? {})}`;

/** Events per second over all processes. Rare events show better as `increaseOf`. */
export function rateOf<Label extends LabelName>(
  metric: CounterDefinition<Label>,
  { by: labels = [], where }: Selection<Label> = {},
): string {
  return `sum${by(labels)} (rate(${series(metric, where)}[${RATE_WINDOW}]))`;
}

/** Events per minute: a pipeline whose runs take days has next to none in a second. */
export const perMinuteOf = <Label extends LabelName>(
  metric: CounterDefinition<Label>,
  selection: Selection<Label> = {},
): string => `60 * ${rateOf(metric, selection)}`;

/** Events within the time range of the dashboard, over all processes, the one that created the series included. */
export function increaseOf<Label extends LabelName>(
  metric: CounterDefinition<Label>,
  { by: labels = [], where }: Selection<Label> = {},
): string {
  return `sum${by(labels)} (${growth(series(metric, where), RANGE_WINDOW)})`;
}

/** A quantile of a histogram over all processes. */
export function quantileOf<Label extends LabelName>(
  metric: HistogramDefinition<Label>,
  quantile: number,
  { by: labels = [], where }: Selection<Label> = {},
): string {
  const buckets = `rate(${metric.name}_bucket${matchers(where ?? {})}[${RATE_WINDOW}])`;
  return `histogram_quantile(${quantile}, sum${by(['le', ...labels])} (${buckets}))`;
}

/** A gauge that every process exposes with the same value, since it mirrors the tables: the maximum over the processes. */
export function stateOf<Label extends LabelName>(
  metric: MetricDefinition<Label>,
  { by: labels = metric.labels, where }: Selection<Label> = {},
): string {
  return `max${by(labels)} (${series(metric, where)})`;
}

/** The sum of such a gauge over its series: each series counts once, however many processes expose it. */
export function stateSumOf<Label extends LabelName>(
  metric: MetricDefinition<Label>,
  { by: labels = [], where }: Selection<Label> = {},
): string {
  return `sum${by(labels)} (${stateOf(metric, where === undefined ? {} : { where })})`;
}

/** A gauge of each process. */
export function eachProcess<Label extends LabelName>(
  metric: GaugeDefinition<Label>,
  labels: readonly Label[] = [],
): string {
  return `max${by(['instance', ...labels])} (${series(metric)})`;
}

/** A gauge of each process, summed over the processes. */
export function sumOfProcesses<Label extends LabelName>(metric: GaugeDefinition<Label>): string {
  return `sum (${series(metric)})`;
}

/** Seconds since the instant that an expression returns. */
export const ageOf = (expression: string): string => `time() - ${expression}`;

/** The expression, or 0 while it has no series. */
export const orZero = (expression: string): string => `${expression} or vector(0)`;

/** One expression as a share of another. */
export const shareOf = (part: string, whole: string): string => `${part} / ${whole}`;
