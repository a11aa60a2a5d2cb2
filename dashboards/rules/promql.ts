import type { HistogramDefinition, MetricDefinition } from '#semconv/metric-definition';
import type { LabelName, METRIC_LABELS } from '#semconv/metric-labels';

/** The name under which Prometheus scrapes the processes of Barograph. */
export const JOB = 'barograph';

/** The type of a label value: a member of its closed set, or any text where it has none. */
export type ValueOf<Label extends LabelName> =
  (typeof METRIC_LABELS)[Label]['values'] extends readonly (infer Value extends string)[] ? Value : string;

/** One value, or several alternatives. */
export type Matchers<Label extends LabelName> = {
  readonly [Name in Label]?: ValueOf<Name> | readonly ValueOf<Name>[];
};

/** Selects the series of a metric; a label or a value that the metric cannot have does not compile. */
export function series<Label extends LabelName>(
  metric: MetricDefinition<Label>,
  matchers: Matchers<Label> = {},
): string {
  return metric.name + matcherText(matchers);
}

/** Selects the buckets of a histogram. */
export function buckets<Label extends LabelName>(
  metric: HistogramDefinition<Label>,
  matchers: Matchers<Label> = {},
): string {
  return `${metric.name}_bucket${matcherText(matchers)}`;
}

/**
 * The one value of a series that every process exposes, because it mirrors a table.
 *
 * The newest reading wins: numbers of such a table grow, and the start of what is oldest moves on.
 */
export const latest = (selector: string): string => `max without (instance, job) (${selector})`;

/** Aggregates to the labels that are named. */
export const by = (
  operation: 'sum' | 'max' | 'count',
  labels: readonly LabelName[],
  expression: string,
): string => `${operation} by (${labels.join(', ')}) (${expression})`;

/** Seconds since an instant that a series holds. */
export const since = (instant: string): string => `time() - ${instant}`;

/** How long a series may be absent, as while scrapes fail, and still count as the same: Prometheus's lookback delta. */
const PATIENCE = '5m';

/**
 * Growth of counters over a window. A series that did not exist before the window counts in full: `increase` misses the
 * value of the first scrape, and the first failure of a kind creates its series. One failed scrape just before the window
 * does not make a series new.
 */
export const growth = (selector: string, window: string): string =>
  `((${selector} unless last_over_time(${selector}[${PATIENCE}] offset ${window})) or increase(${selector}[${window}]))`;

function matcherText(matchers: Readonly<Record<string, string | readonly string[] | undefined>>): string {
  const texts = Object.entries(matchers).flatMap(([label, value]) => {
    if (value === undefined) return [];
    const values = typeof value === 'string' ? [value] : value;
    return [`${label}${values.length === 1 ? '=' : '=~'}"${values.join('|')}"`];
  });
  return texts.length === 0 ? '' : `{${texts.join(', ')}}`;
}
