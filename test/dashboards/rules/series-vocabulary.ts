import { RECORDED_SERIES } from '#dashboards/rules/recording';
import { METRIC_LABELS } from '#semconv/metric-labels';
import { METRICS } from '#semconv/metrics';
import type { MetricDefinition } from '#semconv/metric-definition';
import { allNodes, childOf, parsePromql, unquoted, type PromqlNode } from './promql-tree.ts';

const SCRAPE_LABELS = ['instance', 'job'];

/** Labels by name of all series that Prometheus can hold of us: scraped, recorded, and its own `up`. */
const SERIES: ReadonlyMap<string, readonly string[]> = new Map([
  ['up', SCRAPE_LABELS],
  ...Object.values<MetricDefinition>(METRICS).flatMap(seriesOf),
  ...[...RECORDED_SERIES.values()].map(({ record, labels }) => [record, labels] as const),
]);

/** The labels of a series; undefined when there is none of that name. */
export const labelsOfSeries = (name: string): readonly string[] | undefined => SERIES.get(name);

/** The metrics, labels and members of closed sets in an expression that nothing exposes. */
export function unknownNames(expression: string): readonly string[] {
  return allNodes(parsePromql(expression))
    .filter(({ kind }) => kind === 'VectorSelector')
    .flatMap(unknownInSelector);
}

function seriesOf({ name, type, labels }: MetricDefinition): (readonly [string, readonly string[]])[] {
  const all = [...SCRAPE_LABELS, ...labels];
  if (type !== 'histogram') return [[name, all]];
  return [
    [`${name}_bucket`, [...all, 'le']],
    [`${name}_sum`, all],
    [`${name}_count`, all],
  ];
}

function unknownInSelector(selector: PromqlNode): readonly string[] {
  const name = childOf(selector, 'Identifier')?.text ?? '';
  const labels = labelsOfSeries(name);
  if (labels === undefined) return [name];
  const matchers = childOf(selector, 'LabelMatchers')?.children ?? [];
  return matchers.flatMap((matcher) => {
    const label = childOf(matcher, 'LabelName')?.text ?? '';
    if (!labels.includes(label)) return [`${name}{${label}}`];
    const value = unquoted(childOf(matcher, 'StringLiteral')?.text ?? '""');
    return unknownValues(label, value.split('|')).map((unknown) => `${name}{${label}="${unknown}"}`);
  });
}

function unknownValues(label: string, values: readonly string[]): readonly string[] {
  const closed: readonly string[] | string | undefined = isLabel(label)
    ? METRIC_LABELS[label].values
    : undefined;
  if (closed === undefined || typeof closed === 'string') return [];
  return values.filter((value) => !closed.includes(value));
}

const isLabel = (name: string): name is keyof typeof METRIC_LABELS => name in METRIC_LABELS;
