import type { LabelName } from '#semconv/metric-labels';
import { UNPRINTABLE_RE2 } from '#semconv/printable-text';

/** Urgency: a `page` interrupts a person now, a `ticket` waits for working hours. */
export type Severity = 'page' | 'ticket';

/** A recording rule: a series that Prometheus precomputes. */
export interface RecordingRule {
  /** `barograph:<what>:<operation>` */
  readonly record: `barograph:${string}:${string}`;
  /** The labels that its series have, apart from those of the scrape. */
  readonly labels: readonly LabelName[];
  readonly expr: string;
}

/** An alert. Its texts are Prometheus templates. */
export interface AlertRule {
  readonly alert: `Barograph${string}`;
  readonly expr: string;
  /** How long the expression must hold, as a duration of Prometheus. */
  readonly for: string;
  readonly severity: Severity;
  /** One line: what is wrong, with which run, step or miner. */
  readonly summary: string;
  /** The consequence for the forecasts or the recorded data. */
  readonly description: string;
  /** Path of the dashboard that shows it. */
  readonly dashboard: string;
}

/** A label whose values others choose, for the texts of an alert: what acts on a terminal or is not seen becomes `?`. */
export const foreignLabel = (label: LabelName): string =>
  `{{ $labels.${label} | reReplaceAll "${UNPRINTABLE_RE2.replaceAll('\\', '\\\\')}" "?" }}`;

/** Rules that are evaluated together, one after the other. */
export interface RuleGroup<Rule> {
  readonly name: string;
  readonly rules: readonly Rule[];
}

/** `BarographStuckStep` has the runbook `dashboards/runbooks/stuck-step.md`. */
export function runbookOf({ alert }: Pick<AlertRule, 'alert'>): string {
  const words = alert.slice('Barograph'.length).match(/[A-Z][a-z]*[0-9]*/g) ?? [];
  return `dashboards/runbooks/${words.join('-').toLowerCase()}.md`;
}
