-- The state of open runs is read every few seconds: with these two indexes it costs the same whatever the history.

-- The newest attempt of each step comes out of this one in order, without a look at the rows.
create index weather_forecast_steps_newest on weather_forecast_steps_finished
  (validator_id, run_id, miner_hotkey, step_name, lead_hours, completed_at desc, attempt desc, span_id desc)
  include (status, next_retry_time)
  where step_name in ('seed', 'query', 'poll', 'verify', 'day1', 'era5', 'aggregate');

create index weather_forecast_runs_open on weather_forecast_runs (validator_id, id) where completion_time is null;
