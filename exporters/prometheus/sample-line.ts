import type { MetricDefinition } from '#semconv/metric-definition';
import type { LabelName } from '#semconv/metric-labels';

/** The labels of one series. A label that is left out is, for Prometheus, the same as an empty one. */
export type Labels<Label extends LabelName = LabelName> = Readonly<Partial<Record<Label, string>>>;

/**
 * One series as the line that a scrape shows, the same in both formats and to the letter what the library writes. Empty
 * when there is nothing to show: the value is not finite or, of a counter, negative.
 *
 * @param labels as `labelText` writes them
 */
export function sampleLine({ name, type }: MetricDefinition, labels: string, value: number): string {
  if (!Number.isFinite(value) || (type === 'counter' && value < 0)) return '';
  // Joined and not added up: it is kept, and sums of strings stay trees of their parts.
  return [name, labels, ' ', String(value)].join('');
}

/** The labels of a series as they stand in its line. */
export function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escape(text)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

const escape = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');

/** Lines one below the other; empty ones are none. */
export const joinLines = (lines: readonly string[]): string => lines.filter((line) => line !== '').join('\n');
