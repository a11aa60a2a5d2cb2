import type { AttributeName, ComponentScoreAttributeName, DECISION_ATTRIBUTES } from '../attributes.ts';
import type { EVENTS } from '../vocabulary.ts';

/** What a span carries beside its attributes and events, by the names of OTLP, and the process of its resource. */
export const SPAN_FIELDS = [
  'span.trace_id',
  'span.span_id',
  'span.parent_span_id',
  'span.flags',
  'span.name',
  'span.start_time_unix_nano',
  'span.end_time_unix_nano',
  'span.status',
  'span.dropped_attributes_count',
  'span.dropped_events_count',
  'service.instance.id',
] as const;

/** The tables that are written from spans. */
export type RecordedTable =
  | 'weather_forecast_runs'
  | 'weather_miner_responses'
  | 'weather_forecast_stats'
  | 'weather_forecast_steps'
  | 'weather_forecast_component_scores'
  | 'miner_stats'
  | 'validator_job_logs';

/** An attribute, an event, a field of the span, or another column that a column follows from. */
export type SourceName =
  | AttributeName
  | ComponentScoreAttributeName
  | keyof typeof DECISION_ATTRIBUTES
  | (typeof EVENTS)[keyof typeof EVENTS]
  | (typeof SPAN_FIELDS)[number]
  | `${RecordedTable}.${string}`;

/** What fills a column of a recorded table. */
export interface ColumnSource {
  /** Empty for a column that nothing fills, and for the fold of a row. */
  readonly from: readonly SourceName[];
  /** The rule, as far as it is more than a copy. */
  readonly how: string;
}

/** The columns of one table, in the order in which the reference page shows them. */
export type ColumnSources = Readonly<Record<string, ColumnSource>>;

/** A column that follows from these sources by a rule. */
export const by = (how: string, ...from: readonly SourceName[]): ColumnSource => ({ from, how });
/** A column that is a copy of its source. */
export const copyOf = (source: SourceName): ColumnSource => by('', source);
/** A column of a fold that the newest write wins. */
export const newest = (source: SourceName): ColumnSource => by('The newest', source);
/** A column that nothing writes. */
export const notWritten = (reason: string): ColumnSource => by(`Not written: ${reason}`);

/** The first part of every key. */
export const VALIDATOR_ID = by(
  'Its number in `validators`; the attribute of the span, or else of its resource',
  'weather.validator.hotkey',
);
/** The latest instant of any span that a row follows from. */
export const updatedBy = (spans: string, ...others: readonly SourceName[]): ColumnSource =>
  by(
    `The latest instant of any span of ${spans}; of one with a synthetic end or a superseded one, its start`,
    'weather.step.superseded',
    ...others,
    'span.start_time_unix_nano',
    'span.end_time_unix_nano',
    'weather.closing.reason',
  );
