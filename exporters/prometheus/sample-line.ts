import type { MetricDefinition } from '#semconv/metric-definition';
import type { LabelName } from '#semconv/metric-labels';

/** The labels of one series. To Prometheus a missing label equals an empty one. */
export type Labels<Label extends LabelName = LabelName> = Readonly<Partial<Record<Label, string>>>;

/**
 * One series as an exposition line: the same in both formats, and byte for byte what the library writes. Empty when the
 * value is not finite or, for a counter, negative.
 *
 * @param labels as returned by `labelText`
 */
export function sampleLine({ name, type }: MetricDefinition, labels: string, value: number): string {
  if (!Number.isFinite(value) || (type === 'counter' && value < 0)) return '';
  // join() instead of concatenation: the line is cached, and V8 keeps a concatenation as a rope of its parts.
  return [name, labels, ' ', String(value)].join('');
}

/** The labels of a series in the exposition format. */
export function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escape(text)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

const escape = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');

/** Joins lines; empty ones are skipped. */
export const joinLines = (lines: readonly string[]): string => lines.filter((line) => line !== '').join('\n');
