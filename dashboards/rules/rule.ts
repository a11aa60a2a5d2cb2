import type { LabelName } from '#semconv/metric-labels';

/** Who is woken: `page` somebody now, `ticket` somebody in the morning. */
export type Severity = 'page' | 'ticket';

/** A series that Prometheus computes for others to use. */
export interface RecordingRule {
  /** `barograph:<what>:<operation>` */
  readonly record: `barograph:${string}:${string}`;
  /** The labels that its series have, apart from those of the scrape. */
  readonly labels: readonly LabelName[];
  readonly expr: string;
}

/** Something that a person has to know. Its texts are templates of Prometheus. */
export interface AlertRule {
  readonly alert: `Barograph${string}`;
  readonly expr: string;
  /** How long the expression must hold, as a duration of Prometheus. */
  readonly for: string;
  readonly severity: Severity;
  /** One line: what is wrong, with which run, step or miner. */
  readonly summary: string;
  /** What that means for the forecasts or the record. */
  readonly description: string;
  /** Path of the dashboard that shows it. */
  readonly dashboard: string;
}

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
