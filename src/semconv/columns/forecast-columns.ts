import { ERA5_LEAD_HOURS } from '../vocabulary.ts';
import {
  by,
  copyOf,
  newest,
  updatedBy,
  VALIDATOR_ID,
  type ColumnSource,
  type ColumnSources,
  type RecordedTable,
  type SourceName,
} from './column-source.ts';

const ERROR_SOURCES = [
  'error.type',
  'exception',
  'span.status',
  'weather.step.status',
  'weather.closing.reason',
  'weather.step.superseded',
] as const;
/** What a run adds: the attempts of its own steps until the miner is asked, and its end. */
const RUN_SOURCES = [
  'weather.run.status',
  'weather.run.error_message',
  'weather.run.error_type',
  'weather.forecast.status',
] as const;
const MEAN =
  'Mean over the component scores of all leads of ERA5; of day one before the first lead is scored';

const meanOf = (attribute: SourceName): ColumnSource =>
  by(MEAN, attribute, 'weather.component_score', 'weather.component.score_type', 'weather.lead_hours');

const LEAD_SCORES = Object.fromEntries(
  ERA5_LEAD_HOURS.map((lead) => [
    `era5_score_${lead}h`,
    by(`The newest of lead ${lead}`, 'weather.score.era5', 'weather.lead_hours'),
  ]),
);

const FORECASTS: ColumnSources = {
  validator_id: VALIDATOR_ID,
  id: by('As `weather_miner_responses.id`', 'weather.run.id', 'weather.miner.hotkey'),
  miner_uid: newest('weather.miner.uid'),
  miner_hotkey: copyOf('weather.miner.hotkey'),
  miner_rank: by(
    "Rank within the run, ties alike; none for a forecast that failed by another fault than the miner's",
    'weather_forecast_stats.overall_forecast_score',
    'weather_forecast_stats.forecast_status',
    'weather_forecast_stats.last_error_fault',
  ),
  forecast_run_id: by('`forecast_{T0}_to_{target}`', 'weather.run.init_time', 'weather.run.target_time'),
  run_id: copyOf('weather.run.id'),
  forecast_init_time: newest('weather.run.init_time'),
  forecast_status: by(
    'The newest; a terminal one stays; `pending` without; `failed` once the run has ended a forecast that had not',
    'weather.forecast.status',
    'weather.run.status',
  ),
  current_forecast_stage: by(
    'The newest, or that of the step that began since, of the run too until the miner is asked; while leads wait, that of the one that is looked for next; that of the terminal status stays',
    'weather.stage',
    'weather.retry.next_time',
    'weather.step.status',
    'weather.poll.progress',
    'weather.step.name',
    'weather.lead_hours',
    'weather.forecast.status',
  ),
  current_forecast_status: by(
    'Reported with the stage, or else by the outcome of the step; `error` when its step was abandoned; `failed` once the run has ended',
    'weather.stage.status',
    'weather.step.superseded',
    'weather.step.status',
    'span.status',
    'error.type',
    'weather.retry.next_time',
    'weather.run.status',
    'weather.stage',
    'weather.step.name',
    'weather.forecast.status',
    'weather.closing.reason',
  ),
  stage_since: by(
    'When the forecast first entered its stage',
    'weather.stage',
    'weather.step.name',
    'weather.forecast.status',
    'span.start_time_unix_nano',
    'span.end_time_unix_nano',
  ),
  last_error_message: by(
    'Of the newest error of a step that has not succeeded since; of the run once it has ended the forecast',
    ...ERROR_SOURCES,
    ...RUN_SOURCES,
  ),
  last_error_type: by('Category of the same', ...ERROR_SOURCES, ...RUN_SOURCES),
  last_error_fault: by(
    "Who is at fault for that category; `upstream` instead of the miner for an error of the run's own steps, and of its end",
    'weather_forecast_stats.last_error_type',
    'weather.miner.hotkey',
    'weather.run.status',
  ),
  retries_remaining: by(
    'Of the step that is retried next; of the newest one without a retry; 0 after the end',
    'weather.forecast.status',
    'weather.run.status',
    'weather.step.max_attempts',
    'weather.step.attempt',
    'weather.step.status',
    'weather.retry.next_time',
  ),
  next_scheduled_retry: by(
    'The earliest of the newest attempts of all steps, without superseded ones; none after the end',
    'weather.step.superseded',
    'weather.forecast.status',
    'weather.run.status',
    'weather.retry.next_time',
    'weather.step.attempt',
  ),
  forecast_error_msg: by(
    'Category, fault, message and time of the same',
    ...ERROR_SOURCES,
    ...RUN_SOURCES,
    'span.end_time_unix_nano',
  ),
  forecast_score_initial: newest('weather.score.initial'),
  ...LEAD_SCORES,
  era5_combined_score: by(
    'Sum of the lead scores over the leads expected, 10 without a number',
    'weather.score.era5',
    'weather.lead_hours',
    'weather.run.expected_leads',
  ),
  era5_completeness: by(
    'Leads scored over leads expected, 10 without a number',
    'weather_forecast_stats.era5_scored_leads',
    'weather_forecast_stats.era5_expected_leads',
  ),
  era5_scored_leads: by('The number of leads with a score', 'weather.score.era5', 'weather.lead_hours'),
  era5_expected_leads: newest('weather.run.expected_leads'),
  overall_forecast_score: by(
    '0.95 of the first, 0 without it, and 0.05 if the second is at least 0.1',
    'weather_forecast_stats.era5_combined_score',
    'weather_forecast_stats.forecast_score_initial',
  ),
  avg_rmse: meanOf('weather.component.rmse'),
  avg_acc: meanOf('weather.component.acc'),
  avg_skill_score: meanOf('weather.component.skill_score'),
  forecast_type: newest('weather.forecast.type'),
  forecast_inference_duration_seconds: newest('weather.inference.duration_seconds'),
  forecast_input_sources: newest('weather.forecast.input_sources'),
  hosting_status: newest('weather.hosting.status'),
  hosting_latency_ms: by('Reported with the status', 'weather.hosting.latency_ms', 'weather.hosting.status'),
  validator_hotkey: copyOf('weather.validator.hotkey'),
  completed_at: by(
    'The end of the first step that reported the terminal status, of the forecast or of the run',
    'weather.forecast.status',
    'weather.run.status',
    'span.end_time_unix_nano',
  ),
  trace_id: by('Of the first span of the miner in the run', 'span.trace_id'),
  created_at: by('The start of that span', 'span.start_time_unix_nano'),
  updated_at: updatedBy(
    'the miner in the run, and of the end of the run',
    'weather.run.status',
    'weather.forecast.status',
  ),
  fold: by('The value of each column with the time of its write'),
};

/** The forecast of one miner in one run. */
export const FORECAST_COLUMNS = {
  weather_forecast_stats: FORECASTS,
} satisfies Partial<Record<RecordedTable, ColumnSources>>;
