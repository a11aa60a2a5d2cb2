import { ERA5_LEAD_HOURS } from '../vocabulary.ts';
import {
  by,
  copyOf,
  newest,
  updatedBy,
  VALIDATOR_ID,
  type ColumnSources,
  type RecordedTable,
} from './column-source.ts';

const TRANSPORT = [
  'weather.response.transport',
  'weather.step.name',
  'weather.step.status',
  'error.type',
] as const;
const CALLS = [...TRANSPORT, 'span.start_time_unix_nano', 'span.end_time_unix_nano'] as const;

const MINERS: ColumnSources = {
  validator_id: VALIDATOR_ID,
  miner_uid: newest('weather.miner.uid'),
  miner_hotkey: copyOf('weather.miner.hotkey'),
  miner_rank: by('Rank among the miners of the validator, ties alike', 'miner_stats.avg_forecast_score'),
  is_selected: by(
    'Whether a step `seed` of the miner is recorded',
    'weather.step.name',
    'weather.miner.hotkey',
  ),
  avg_forecast_score: by(
    'Mean over completed forecasts',
    'weather_forecast_stats.era5_combined_score',
    'weather_forecast_stats.forecast_status',
  ),
  successful_forecasts: by('Those that are `completed`', 'weather_forecast_stats.forecast_status'),
  failed_forecasts: by(
    'Those that are `failed` by the fault of the miner',
    'weather_forecast_stats.forecast_status',
    'weather_forecast_stats.last_error_fault',
  ),
  excused_forecasts: by(
    'Those that are `failed` by another fault',
    'weather_forecast_stats.forecast_status',
    'weather_forecast_stats.last_error_fault',
  ),
  forecast_success_ratio: by(
    'The first over both',
    'miner_stats.successful_forecasts',
    'miner_stats.failed_forecasts',
  ),
  hosting_successes: by(
    'The number of steps that report `success`; a call that reports nothing counts by its outcome',
    ...TRANSPORT,
  ),
  hosting_failures: by('The number of those with `failure`', ...TRANSPORT),
  host_reliability_ratio: by(
    'The first over both',
    'miner_stats.hosting_successes',
    'miner_stats.hosting_failures',
  ),
  avg_hosting_latency_ms: by('Mean duration of the steps that report `success`', ...CALLS),
  avg_day1_score: by('Mean over all forecasts', 'weather_forecast_stats.forecast_score_initial'),
  avg_era5_score: by(
    'Mean over the scored leads of all forecasts, by their columns',
    ...ERA5_LEAD_HOURS.map((lead) => `weather_forecast_stats.era5_score_${lead}h` as const),
  ),
  avg_era5_completeness: by(
    'Mean over completed and failed forecasts',
    'weather_forecast_stats.era5_completeness',
    'weather_forecast_stats.last_error_fault',
    'weather_forecast_stats.forecast_status',
  ),
  best_forecast_score: by(
    'The largest of completed forecasts',
    'weather_forecast_stats.era5_combined_score',
    'weather_forecast_stats.forecast_status',
  ),
  worst_forecast_score: by(
    'The smallest of completed forecasts',
    'weather_forecast_stats.era5_combined_score',
    'weather_forecast_stats.forecast_status',
  ),
  score_std_dev: by(
    'Sample standard deviation over completed forecasts',
    'weather_forecast_stats.era5_combined_score',
    'weather_forecast_stats.forecast_status',
  ),
  last_successful_forecast: by(
    'The latest of completed forecasts',
    'weather_forecast_stats.completed_at',
    'weather_forecast_stats.forecast_status',
  ),
  last_failed_forecast: by(
    'The latest of failed forecasts',
    'weather_forecast_stats.completed_at',
    'weather_forecast_stats.last_error_fault',
    'weather_forecast_stats.forecast_status',
  ),
  consecutive_successes: by(
    'Completed ones since the last failed one, by T0',
    'weather_forecast_stats.last_error_fault',
    'weather_forecast_stats.forecast_status',
    'weather_forecast_stats.forecast_init_time',
  ),
  consecutive_failures: by(
    'Failed ones since the last completed one, by T0',
    'weather_forecast_stats.last_error_fault',
    'weather_forecast_stats.forecast_status',
    'weather_forecast_stats.forecast_init_time',
  ),
  total_inference_time: by(
    'Sum over all forecasts',
    'weather_forecast_stats.forecast_inference_duration_seconds',
  ),
  avg_inference_time: by(
    'Mean over all forecasts',
    'weather_forecast_stats.forecast_inference_duration_seconds',
  ),
  common_errors: by(
    'Number by category; a failure of transport counts at the call, every other one at its step',
    'weather_forecast_steps.error_type',
    'weather.step.name',
  ),
  error_rate_by_type: by('Each as a share of all', 'miner_stats.common_errors'),
  first_seen: by('The start of the earliest span of the miner', 'span.start_time_unix_nano'),
  last_active: by('The end of the latest step that reports `success`', ...CALLS),
  validator_hotkey: copyOf('weather.validator.hotkey'),
  updated_at: updatedBy('the miner'),
  fold: by('Counts and exact sums over all time'),
};

/** Everything that a miner did, over all runs. */
export const MINER_COLUMNS = {
  miner_stats: MINERS,
} satisfies Partial<Record<RecordedTable, ColumnSources>>;
