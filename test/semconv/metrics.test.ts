import { describe, expect, it } from 'vitest';
import { METRIC_LABELS, OVERFLOW } from '#semconv/metric-labels';
import type { MetricDefinition } from '#semconv/metric-definition';
import { METRICS } from '#semconv/metrics';
import { SUBSTEPS } from '#semconv/vocabulary';

const metrics: readonly MetricDefinition[] = Object.values(METRICS);
const familyOf = (name: string): string => name.replace(/_total$/, '');

describe('the metrics', () => {
  it.each(metrics.map((metric) => [metric.name, metric] as const))(
    'the metrics: %s follows the naming rules',
    (name, metric) => {
      expect(name).toMatch(/^barograph_[a-z][a-z0-9]*(_[a-z0-9]+)*$/);
      expect(name.endsWith('_total')).toBe(metric.type === 'counter');
      expect(name).not.toMatch(/_(count|sum|bucket|created|ms|millis|milliseconds|percent)$/);
      if (name.endsWith('_info'))
        expect(metric.help, 'the convention for labels without a value').toMatch(/^Always 1: /);
      expect(metric.help).toMatch(/^[A-Z][^"\\\n]+\.$/);
      if (metric.unit !== '1') expect(familyOf(name).endsWith(`_${metric.unit}`)).toBe(true);
    },
  );

  it('the metrics have names that stay apart when OpenMetrics cuts off _total', () => {
    const families = metrics.map(({ name }) => familyOf(name));
    expect(new Set(families).size).toBe(families.length);
  });

  it('the metrics have labels from the table of labels only, and no label twice', () => {
    for (const { labels } of metrics) {
      expect(Object.keys(METRIC_LABELS)).toEqual(expect.arrayContaining([...labels]));
      expect(new Set(labels).size).toBe(labels.length);
    }
  });

  it('the metrics never split a latency by miner', () => {
    const histograms = metrics.filter(({ type }) => type === 'histogram');
    expect(histograms.length).toBeGreaterThan(0);
    for (const { labels } of histograms)
      expect(labels.filter((label) => label.startsWith('miner'))).toEqual([]);
  });

  it('the metrics have buckets that ascend', () => {
    for (const { buckets } of [METRICS.stepDuration, METRICS.recorderBatchDuration]) {
      expect([...buckets]).toEqual([...new Set(buckets)].sort((a, b) => a - b));
    }
  });

  it('the metrics measure steps from a millisecond to ten minutes', () => {
    expect(METRICS.stepDuration.buckets.at(0)).toBe(0.001);
    expect(METRICS.stepDuration.buckets.at(-1)).toBe(600);
  });
});

describe('the labels', () => {
  it('the labels know every substep without its number', () => {
    expect([...METRIC_LABELS.substep.values].sort()).toEqual(
      [...new Set(Object.values(SUBSTEPS).flat())].sort(),
    );
    expect(METRIC_LABELS.substep.values).toContain('attempt');
  });

  it('the labels never use the overflow value as a value of a closed set', () => {
    for (const { values } of Object.values(METRIC_LABELS)) {
      if (typeof values !== 'string') expect(values).not.toContain(OVERFLOW);
    }
  });
});
