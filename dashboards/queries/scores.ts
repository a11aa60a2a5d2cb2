import { ERA5_LEAD_CHECKS, ERA5_LEAD_HOURS } from '#semconv';
import { linkedTrace, ofMiner, ofMinerInRun, ofRun, ofValidator, SQL_VARIABLES } from '../panels/sql.ts';

export const LEADERBOARD = `
select board.miner_rank, board.miner_uid, board.miner_hotkey, board.overall_forecast_score, board.era5_combined_score,
  board.forecast_score_initial, board.era5_completeness, board.avg_acc, board.avg_skill_score, board.forecast_status,
  board.last_error_message, ${linkedTrace('board')} as trace_id
from miner_leaderboard as board
where ${ofRun('board')}
order by board.miner_rank nulls last, board.miner_uid`;

export const OVERALL_SCORES = `
select forecast.overall_forecast_score as overall, forecast.era5_combined_score as era5,
  forecast.forecast_score_initial as day1
from weather_forecast_stats as forecast
where ${ofRun('forecast')}`;

export const DAY1_AGAINST_ERA5 = `
select forecast.forecast_score_initial, forecast.era5_combined_score,
  coalesce(forecast.miner_uid::text, '?') || ' · ' || forecast.miner_hotkey as miner, forecast.miner_hotkey
from weather_forecast_stats as forecast
where ${ofRun('forecast')} and forecast.forecast_score_initial is not null and forecast.era5_combined_score is not null
order by forecast.forecast_score_initial`;

const leadScores = ERA5_LEAD_HOURS.map((lead) => `(${lead}, forecast.era5_score_${lead}h)`).join(', ');

export const SCORE_BY_LEAD = `
select lead.hours as lead_hours, max(lead.score) as best,
  percentile_cont(0.5) within group (order by lead.score) as median, min(lead.score) as worst,
  max(lead.score) filter (where forecast.miner_hotkey = ${SQL_VARIABLES.miner}) as chosen
from weather_forecast_stats as forecast
cross join lateral (values ${leadScores}) as lead (hours, score)
where ${ofRun('forecast')} and lead.score is not null
group by lead.hours
order by lead.hours`;

const leadChecks = ERA5_LEAD_CHECKS.map((check) => `'${check}'`).join(', ');

/** Without the leads that have no score: a mean over the fields that passed would flatter the forecast. */
export const SKILL_BY_LEAD = `
select score.lead_hours, avg(score.acc) as acc, avg(score.skill_score) as skill,
  avg(score.skill_score_gfs) as skill_gfs, avg(score.skill_score_climatology) as skill_climatology,
  avg(score.plain_skill_score_gfs) as plain_gfs, avg(score.plain_skill_score_climatology) as plain_climatology
from weather_forecast_component_scores as score
where ${ofMinerInRun('score')}
group by score.lead_hours
having count(*) filter (where score.score_type = 'era5' and score.failed_check in (${leadChecks})) = 0
order by score.lead_hours`;

/** One row a variable and level, one column a lead. */
function leadGrid(metric: 'acc' | 'skill_score'): string {
  const leads = ERA5_LEAD_HOURS.map(
    (lead) =>
      `avg(score.${metric}) filter (where score.lead_hours = ${lead} and score.score_type = 'era5') as "${lead} h"`,
  );
  return `
select score.variable_name, score.pressure_level,
  avg(score.${metric}) filter (where score.score_type = 'day1') as "day 1",
  ${leads.join(',\n  ')}
from weather_forecast_component_scores as score
where ${ofMinerInRun('score')}
group by score.variable_name, score.pressure_level
order by score.variable_name, score.pressure_level desc nulls first`;
}

export const ACC_GRID = leadGrid('acc');
export const SKILL_GRID = leadGrid('skill_score');

export const MISSING_METRICS = `
select score.score_type, score.lead_hours, score.variable_name, score.pressure_level, score.failed_check, score.reason,
  ${linkedTrace('score')} as trace_id, score.span_id
from weather_forecast_component_scores as score
where ${ofMinerInRun('score')} and (score.reason is not null or score.failed_check is not null)
order by score.score_type, score.lead_hours, score.variable_name, score.pressure_level
limit 1000`;

/** The ten best miners of the run, and the chosen one. */
export const RANK_OVER_TIME = `
select forecast.forecast_init_time as time,
  coalesce(forecast.miner_uid::text, '?') || ' · ' || left(forecast.miner_hotkey, 8) as miner,
  forecast.miner_rank as rank
from (
  select best.miner_hotkey from weather_forecast_stats as best
  where ${ofRun('best')} and (best.miner_rank <= 10 or best.miner_hotkey = ${SQL_VARIABLES.miner})
) as shown
join weather_forecast_stats as forecast on forecast.miner_hotkey = shown.miner_hotkey
where ${ofValidator('forecast')} and forecast.forecast_status in ('completed', 'failed')
  and $__timeFilter(forecast.forecast_init_time)
order by 1, 2`;

/**
 * Ended runs only: an open run lacks the scores of later leads. A lateral join reads each run by its index and no other
 * run; the quartiles are one aggregate, so the scores are sorted once.
 */
export const SCORES_OVER_TIME = `
select run.gfs_init_time_utc as time, scores.best, scores.quartiles[3] as upper_quartile,
  scores.quartiles[2] as median, scores.quartiles[1] as lower_quartile
from weather_forecast_runs as run
cross join lateral (
  select max(forecast.overall_forecast_score) as best,
    percentile_cont(array[0.25, 0.5, 0.75]) within group (order by forecast.overall_forecast_score) as quartiles
  from weather_forecast_stats as forecast
  where forecast.validator_id = run.validator_id and forecast.run_id = run.id
) as scores
where ${ofValidator('run')} and run.completion_time is not null and $__timeFilter(run.gfs_init_time_utc)
  and scores.best is not null
order by 1`;

export const CHOSEN_MINER = `
select stats.miner_rank, stats.avg_forecast_score, stats.avg_day1_score, stats.avg_era5_score, stats.score_std_dev
from miner_stats as stats
where ${ofMiner('stats')}`;
