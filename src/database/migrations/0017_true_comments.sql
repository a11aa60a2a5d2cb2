-- A late freeze is no fault of the miner: the window opens with the run, and a late GFS uses it up. Rows that are recorded
-- keep what they counted until their miner's next span or `barograph rebuild`.
update error_categories set fault = 'validator' where category = 'verification_freeze_window';

-- Comments: they say what the columns hold. A column of a view that had the comment of its table gets the new one as well.
do $$
declare
  corrected record;
  passed record;
begin
  for corrected in
    select pair.owner::regclass as owner, pair.name, pair.meaning, col_description(pair.owner::regclass, own.attnum) as former
    from (values
      ('miner_stats', 'last_failed_forecast', 'When a forecast last failed by the fault of the miner.'),
      ('miner_stats', 'consecutive_successes', 'Completed forecasts since the last one that failed by the fault of the miner, by T0.'),
      ('miner_stats', 'consecutive_failures', 'Forecasts that failed by the fault of the miner since the last completed one, by T0.'),
      ('miner_stats', 'avg_era5_completeness', 'Mean completeness of completed forecasts and of those that failed by the fault of the miner.'),
      ('miner_stats', 'excused_forecasts', 'Forecasts that failed by the fault of upstream data or of the validator. They count neither as successes nor as failures, nor in streaks and ranks; the scores and inference times that they have do count in the means.'),
      ('weather_forecast_stats', 'id', 'Number of (run, miner), the same for every writer; unique together with validator_id.'),
      ('weather_miner_responses', 'id', 'Number of (run, miner), the same for every writer; unique together with validator_id.'),
      ('weather_forecast_component_scores', 'response_id', 'Row of weather_miner_responses with the same validator_id.'),
      ('weather_forecast_stats', 'forecast_status', 'weather.forecast.status; pending until a span reports one; failed once the run has ended a forecast that had not ended.'),
      ('weather_forecast_stats', 'current_forecast_stage', 'Stage of the newest step; gfs_fetch from the first fetch of the run''s input until the miner is asked; while all leads wait, that of the lead that is looked for next.'),
      ('weather_forecast_stats', 'updated_at', 'Latest timestamp in any span of the forecast, and of those of its run that changed the row: the fetch of GFS while the forecast is in init, and the end of the run.'),
      ('weather_forecast_stats', 'last_error_fault', 'Who is at fault for it: miner, upstream or validator. An error of a step of the run itself is never the miner''s. The newest error that stands when a forecast fails decides alone: where it is not the miner''s, the forecast does not count for the miner.'),
      ('error_categories', 'fault', 'Who is at fault: miner, upstream data, or the validator itself. In a step of the run itself, which calls no miner, a category of the miner is one of upstream data. Written by: migrations.'),
      ('weather_miner_responses', 'verification_passed', 'Whether the hosted files match the frozen manifest; null when that was not compared, as after a late freeze.'),
      ('weather_miner_responses', 'status', 'weather.response.status; failed once the run has ended an open exchange.'),
      ('weather_miner_responses', 'error_message', 'Why the newest step of the exchange failed; null after a success; the reason of the run once that has ended an open exchange.'),
      ('weather_miner_responses', 'next_retry_time', 'When that step is tried again; null once the forecast or the run has ended.'),
      ('weather_miner_responses', 'inference_started_at', 'When inference began: by the miner''s own word where its replies to polls give inference_started_at (or started_at), by its clock; else the same as job_accepted_at. Null when the forecast was ready at once.'),
      ('weather_miner_responses', 'era5_scoring_completed_at', 'End of the aggregation, when every lead was scored or had failed for good; null when the forecast ended before.'),
      ('weather_forecast_runs', 'status', 'weather.run.status of the newest orchestration or fetch of GFS; a terminal status stays.'),
      ('weather_forecast_runs', 'error_message', 'Why the run failed or was abandoned.'),
      ('miner_leaderboard', 'miner_rank', 'Rank in the run by overall_forecast_score, ties alike; null without a score, or when the forecast failed by another fault than the miner''s.'),
      ('missing_scores', 'next_retry_time', 'When the score is tried again; that of the fetch of GFS while it is missing.'),
      ('missing_scores', 'retries_remaining', 'Retries left of that score; of the fetch of GFS while it is missing.'),
      ('run_progress', 'in_flight', 'Miners whose forecast is neither; 0 once the run has ended.'),
      ('step_faults', 'fault', 'Who is at fault: miner, upstream data, or the validator itself. A step of the run itself, which calls no miner, is never a miner''s.')
    ) as pair (owner, name, meaning)
    join pg_attribute as own on own.attrelid = pair.owner::regclass and own.attname = pair.name
  loop
    execute format('comment on column %s.%I is %L', corrected.owner, corrected.name, corrected.meaning);
    for passed in
      select shown.attrelid::regclass as view
      from pg_attribute as shown join pg_class on pg_class.oid = shown.attrelid
      where pg_class.relkind = 'v' and pg_class.relnamespace = current_schema()::regnamespace
        and shown.attname = corrected.name and col_description(shown.attrelid, shown.attnum) = corrected.former
    loop
      execute format('comment on column %s.%I is %L', passed.view, corrected.name, corrected.meaning);
    end loop;
  end loop;
end
$$;

comment on view inconsistent_rows is
  'Rows of ended runs and forecasts that say that something is still to come. Empty, unless somebody changed rows by hand, a fault of Barograph made them, they were recorded before migration 0012 (barograph rebuild mends them), or a process died whose spool is gone (barograph sweep closes its steps).';
