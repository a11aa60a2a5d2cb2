import type { LabelName } from './metric-labels.ts';

/** The Prometheus types that Barograph uses. */
export type MetricType = 'counter' | 'gauge' | 'histogram';

/** Definition of a metric, read by the exporter, the dashboards, the alerts and the reference page. */
export interface MetricDefinition<Label extends LabelName = LabelName> {
  readonly name: string;
  readonly type: MetricType;
  /** Base unit: `seconds`, `bytes`, `ratio`; `1` for counts and scores. */
  readonly unit: string;
  readonly help: string;
  readonly labels: readonly Label[];
}

export interface CounterDefinition<Label extends LabelName = LabelName> extends MetricDefinition<Label> {
  readonly type: 'counter';
}

export interface GaugeDefinition<Label extends LabelName = LabelName> extends MetricDefinition<Label> {
  readonly type: 'gauge';
}

export interface HistogramDefinition<Label extends LabelName = LabelName> extends MetricDefinition<Label> {
  readonly type: 'histogram';
  /** Upper bounds in the unit of the metric, ascending, without infinity. */
  readonly buckets: readonly number[];
}

type MetricText = readonly [name: string, unit: string, help: string];

/** A value that only grows; its name ends in `_total`. */
export function counter<Label extends LabelName = never>(
  text: MetricText,
  labels: readonly Label[] = [],
): CounterDefinition<Label> {
  const [name, unit, help] = text;
  return { name, type: 'counter', unit, help, labels };
}

/** A value that can go up and down. */
export function gauge<Label extends LabelName = never>(
  text: MetricText,
  labels: readonly Label[] = [],
): GaugeDefinition<Label> {
  const [name, unit, help] = text;
  return { name, type: 'gauge', unit, help, labels };
}

/** A distribution over fixed buckets. */
export function histogram<Label extends LabelName = never>(
  text: MetricText,
  buckets: readonly number[],
  labels: readonly Label[] = [],
): HistogramDefinition<Label> {
  const [name, unit, help] = text;
  return { name, type: 'histogram', unit, help, labels, buckets };
}
