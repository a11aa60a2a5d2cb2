import { describe, expect, it } from 'vitest';
import { type LabelDefinition, METRIC_LABELS } from '#semconv/metric-labels';
import { renderMetricsPage } from '#semconv/metrics-page';
import { METRICS } from '#semconv/metrics';

describe('the page of the metrics', () => {
  const page = renderMetricsPage();
  const rowOf = (name: string): string[] =>
    page.split('\n').filter((line) => line.startsWith(`| \`${name}\` |`));

  it('the page of the metrics has one row for every metric, with its type, its labels and what it means', () => {
    for (const { name, type, labels, help } of Object.values(METRICS)) {
      const [row = '', ...others] = rowOf(name);
      expect(others, name).toEqual([]);
      expect(row).toContain(` | ${type} | `);
      expect(row).toContain(` | ${labels.map((label) => `\`${label}\``).join(' ')} | `);
      expect(row).toContain(help);
    }
  });

  it('the page of the metrics has one row for every label, with each value of a closed set', () => {
    const labels: readonly (readonly [string, LabelDefinition])[] = Object.entries(METRIC_LABELS);
    for (const [name, { brief, values }] of labels) {
      const [row = '', ...others] = rowOf(name);
      expect(others, name).toEqual([]);
      expect(row).toContain(brief);
      if (typeof values !== 'string') for (const value of values) expect(row).toContain(`\`${value}\``);
    }
  });

  it('the page of the metrics has tables whose rows are all as wide as their heads', () => {
    for (const block of page.split('\n\n').filter((text) => text.startsWith('|'))) {
      const widths = block
        .trim()
        .split('\n')
        .map((line) => line.replaceAll('\\|', '').split('|').length);
      expect(new Set(widths).size).toBe(1);
    }
  });
});
